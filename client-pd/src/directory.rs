//! What central has written about a client and its peers, apart from the port: whoever only looks these up
//! need not have the port.

use ferry_layout::{DomainId, InRegion, Peer, Standing};

use crate::port::{Doorbell, Port};

/// A client's view of itself and its peers, as central has written it. It does not borrow the port.
#[derive(Clone, Copy)]
pub struct Directory(&'static InRegion);

impl Directory {
    /// The client's own number.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// assert_eq!(here.port.directory().domain(), 0);
    /// ```
    #[must_use]
    pub fn domain(self) -> u16 {
        self.0.domain()
    }

    /// How central regards the client.
    ///
    /// ```
    /// use ferry_client::Standing;
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// assert_eq!(here.port.directory().standing(), Standing::Open);
    /// ```
    #[must_use]
    pub fn standing(self) -> Standing {
        self.0.standing()
    }

    /// The peers that the client shares a flow with.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// assert_eq!(here.port.directory().peers().count(), 1);
    /// ```
    pub fn peers(self) -> impl Iterator<Item = Peer> {
        let Self(to_client) = self;
        (0..to_client.peer_count()).map(move |number| to_client.directory.load(number))
    }

    /// The peer of this name, or `None` if there is no flow between it and the client.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// assert!(here.port.directory().peer("client1").is_some());
    /// ```
    #[must_use]
    pub fn peer(self, name: &str) -> Option<Peer> {
        self.peers().find(|peer| peer.name.as_str() == name)
    }

    /// The peer with this number. `None` if there is no flow between it and the client.
    ///
    /// ```
    /// use ferry_client::DomainId;
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// assert!(here.port.directory().peer_of(DomainId::new(1).unwrap()).is_some());
    /// ```
    #[must_use]
    pub fn peer_of(self, domain: DomainId) -> Option<Peer> {
        self.peers().find(|peer| peer.domain == domain.number())
    }

    /// How many messages of one-way flows to the client were dropped since central started, modulo 2^64.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// assert_eq!(here.port.directory().dropped(), 0);
    /// ```
    #[must_use]
    pub fn dropped(self) -> u64 {
        self.0.dropped.get()
    }
}

impl<D: Doorbell> Port<D> {
    /// What central has written about this client and its peers. It stays right while the port is used, and
    /// can be asked from where the port cannot.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let mut port = here.port;
    /// let directory = port.directory();
    /// port.receive_each(|event| {
    ///     let sender = event.source().and_then(|source| directory.peer_of(source)).unwrap();
    ///     assert_eq!(sender.name.as_str(), "client1");
    ///     None
    /// })
    /// .unwrap();
    /// ```
    #[must_use]
    pub const fn directory(&self) -> Directory {
        Directory(self.to_client)
    }

    /// This client's own number.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// assert_eq!(port.domain(), 0);
    /// ```
    #[must_use]
    pub fn domain(&self) -> u16 {
        self.directory().domain()
    }

    /// How central regards this client. If it is anything but [`Standing::Open`], open the port anew.
    ///
    /// ```
    /// use ferry_client::Standing;
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// assert_eq!(port.standing(), Standing::Open);
    /// ```
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.directory().standing()
    }

    /// The peers that this client shares a flow with. The iterator does not borrow the port.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// for peer in port.peers().filter(|peer| peer.may_send != 0) {
    ///     println!("{}: messages of up to {} bytes", peer.name.as_str(), peer.max_message);
    /// }
    /// ```
    pub fn peers(&self) -> impl Iterator<Item = Peer> + use<D> {
        self.directory().peers()
    }

    /// The peer of this name, or `None` if there is no flow between it and this client.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// assert!(port.peer("client1").is_some());
    /// assert!(port.peer("stranger").is_none());
    /// ```
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<Peer> {
        self.directory().peer(name)
    }

    /// The peer with this number, such as the sender that a delivery names, to answer it. `None` if there is
    /// no flow between it and this client.
    ///
    /// ```
    /// use ferry_client::Message;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.post();
    /// # there.send(7, b"hello");
    /// # let answer = here.transmit.pop().unwrap();
    /// # let mut port = here.port;
    /// let event = port.receive().unwrap();
    /// let sender = event.source().and_then(|source| port.peer_of(source)).unwrap();
    /// port.send(sender, answer, 5, Message::tagged(8)).unwrap();
    /// port.flush();
    /// # assert!(there.take().is_some());
    /// ```
    #[must_use]
    pub fn peer_of(&self, domain: DomainId) -> Option<Peer> {
        self.directory().peer_of(domain)
    }
}
