//! How an image can differ from its description, each with what it means.

use thiserror::Error;

/// A difference. `Display` says what the image has, and what the description says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Error, Debug)]
#[allow(missing_docs, reason = "the text of each variant says what it and its fields mean")]
pub enum Difference {
    #[error("the image has no protection domain `{domain}`")]
    MissingDomain { domain: String },
    #[error("the image has the protection domain `{domain}`, which the description has not")]
    ExtraDomain { domain: String },
    #[error("`{domain}` has priority {found} in the image, and {wanted} in the description")]
    Priority { domain: String, found: u8, wanted: u8 },
    #[error("`{domain}` maps nothing at {address:#x} in the image, where the description has `{region}`")]
    MissingPage { domain: String, region: String, address: u64 },
    #[error("`{domain}` maps {found} at {address:#x} in the image ({permissions}), the description nothing")]
    ExtraPage { domain: String, address: u64, found: String, permissions: String },
    #[error("`{domain}` maps {found} at {address:#x} in the image, and {wanted} in the description")]
    WrongPage { domain: String, address: u64, found: String, wanted: String },
    #[error(
        "`{domain}` may `{found}` at {address:#x} of `{region}` in the image, `{wanted}` in the description"
    )]
    PagePermissions { domain: String, region: String, address: u64, found: String, wanted: String },
    #[error("`{domain}` has no capability of {wanted} at {capability:#x} in the image")]
    MissingFrame { domain: String, capability: u64, wanted: String },
    #[error(
        "`{domain}` has a capability of {found} at {capability:#x} in the image ({permissions}) too many"
    )]
    ExtraFrame { domain: String, capability: u64, found: String, permissions: String },
    #[error("`{domain}` has a capability of {found} at {capability:#x} in the image instead of {wanted}")]
    WrongFrame { domain: String, capability: u64, found: String, wanted: String },
    #[error(
        "the capability of {frame} at {capability:#x} of `{domain}` has the rights `{found}` in the image \
         instead of `{wanted}`"
    )]
    FrameRights { domain: String, capability: u64, frame: String, found: String, wanted: String },
    #[error("`{first}` and `{second}` are the same memory in the image")]
    SharedFrame { first: String, second: String },
    #[error("`{domain}` cannot {verb} `{target}` by its channel {id} in the image, the description says so")]
    MissingSignal { domain: String, verb: &'static str, target: String, id: u8 },
    #[error("`{domain}` can {verb} `{target}` by its channel {id} in the image, the description has none")]
    ExtraSignal { domain: String, verb: &'static str, target: String, id: u8 },
    #[error("`{domain}` has {what} in the image, which the description does not give to it")]
    ExtraCapability { domain: String, what: String },
    #[error("the contents of `{region}` in the image differ at byte {offset} from what fills it")]
    Contents { region: String, offset: u64 },
    #[error("the program of `{domain}` in the image is not the one that was built: {what}")]
    Program { domain: String, what: String },
}
