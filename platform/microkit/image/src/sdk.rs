//! The Microkit SDK: where its files are, and what its kernel was configured for.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use ferry_boards::{Board, sdk};
use ferry_description::Platform;
use microkit_tool::elf::ElfFile;
use microkit_tool::sel4::{Arch, Config, PlatformConfig, RiscvVirtualMemory};
use microkit_tool::util::{json_str, json_str_as_bool, json_str_as_u64};
use serde::de::DeserializeOwned;

use crate::error::Error;

/// One board and configuration of an SDK.
pub(crate) struct Target {
    sdk: PathBuf,
    directory: PathBuf,
    /// The board.
    pub(crate) board: &'static Board,
    /// The configuration's name.
    pub(crate) config_name: String,
    /// The kernel's configuration.
    pub(crate) kernel: Config,
}

impl Target {
    /// Finds a board and configuration in an SDK.
    pub(crate) fn find(sdk: Option<&Path>, board: &str, config: &str) -> Result<Self, Error> {
        let sdk = sdk.ok_or(Error::NoSdk)?.to_owned();
        let directory = sdk::directory(&sdk, board, config)?;
        let board = sdk::board(&sdk, board)?;
        let kernel = kernel_config(&directory, config)?;
        Ok(Self { sdk, directory, board, config_name: config.into(), kernel })
    }

    /// What a system description may say.
    pub(crate) fn rules(&self) -> Platform {
        self.board.rules(self.kernel.num_cores > 1)
    }

    /// The stock tool.
    pub(crate) fn tool(&self) -> PathBuf {
        self.sdk.join("bin/microkit")
    }

    /// Path of one of the SDK's programs for this target.
    pub(crate) fn program_path(&self, name: &str) -> PathBuf {
        self.directory.join("elf").join(name)
    }

    /// One of the SDK's programs for this target.
    pub(crate) fn program(&self, name: &str) -> Result<ElfFile, Error> {
        let path = self.program_path(name);
        ElfFile::from_path(&path).map_err(|cause| Error::Program { path, cause })
    }
}

fn json<T: DeserializeOwned>(directory: &Path, name: &str) -> Result<T, Error> {
    let path = directory.join(name);
    let file = File::open(&path).map_err(Error::file("open", &path))?;
    serde_json::from_reader(BufReader::new(file))
        .map_err(|cause| Error::SdkFile { path, cause: cause.to_string() })
}

/// Reads what Microkit's `main` reads before anything else. The library has no function for it.
fn kernel_config(directory: &Path, config_name: &str) -> Result<Config, Error> {
    const GENERATED: &str = "include/kernel/gen_config.json";
    let generated: serde_json::Value = json(directory, GENERATED)?;
    let wrong = |cause| Error::SdkFile { path: directory.join(GENERATED), cause };
    let word = |name| json_str_as_u64(&generated, name).map_err(wrong);
    let flag = |name| json_str_as_bool(&generated, name).map_err(wrong);
    let byte = |name| word(name).map(|value| u8::try_from(value).unwrap_or(u8::MAX));
    let arch = match json_str(&generated, "SEL4_ARCH").map_err(wrong)? {
        "aarch64" => Arch::Aarch64,
        "riscv64" => Arch::Riscv64,
        "x86_64" => Arch::X86_64,
        other => return Err(wrong(format!("the architecture {other} is not supported"))),
    };
    let (is_arm, is_x86) = (matches!(arch, Arch::Aarch64), matches!(arch, Arch::X86_64));
    let platform: Option<PlatformConfig> =
        (!is_x86).then(|| json(directory, "platform_gen.json")).transpose()?;
    let (device_regions, normal_regions) =
        platform.map(|platform| (platform.devices, platform.memory)).unzip();
    let object_sizes: microkit_tool::sel4::ObjectSizes = json(directory, "object_sizes.json")?;
    Ok(Config {
        word_size: word("WORD_SIZE")?,
        minimum_page_size: 1 << object_sizes.small_page,
        paddr_user_device_top: word("PADDR_USER_DEVICE_TOP")?,
        kernel_frame_size: 1 << if matches!(arch, Arch::Riscv64) { 21 } else { 12 },
        init_cnode_bits: word("ROOT_CNODE_SIZE_BITS")?,
        cap_address_bits: 64,
        fan_out_limit: word("RETYPE_FAN_OUT_LIMIT")?,
        max_num_bootinfo_untypeds: word("MAX_NUM_BOOTINFO_UNTYPED_CAPS")?,
        // On RISC-V the kernel cannot be a hypervisor.
        hypervisor: match arch {
            Arch::Aarch64 => flag("ARM_HYPERVISOR_SUPPORT")?,
            Arch::X86_64 => flag("VTX")?,
            Arch::Riscv64 => false,
        },
        iommu: is_x86 && flag("IOMMU")?,
        benchmark: config_name == "benchmark",
        num_cores: if flag("ENABLE_SMP_SUPPORT")? { byte("MAX_NUM_NODES")? } else { 1 },
        num_domains: byte("NUM_DOMAINS")?,
        num_domain_schedules: word("NUM_DOMAIN_SCHEDULES")?,
        fpu: flag("HAVE_FPU")?,
        arm_pa_size_bits: if is_arm {
            Some(if flag("ARM_PA_SIZE_BITS_40")? { 40 } else { 44 })
        } else {
            None
        },
        arm_smc: if is_arm { Some(flag("ALLOW_SMC_CALLS")?) } else { None },
        riscv_pt_levels: Some(RiscvVirtualMemory::Sv39),
        invocations_labels: json(directory, "invocations_all.json")?,
        address_space_constants: json(directory, "address_space_constants.json")?,
        object_sizes,
        device_regions,
        normal_regions,
        arch,
    })
}
