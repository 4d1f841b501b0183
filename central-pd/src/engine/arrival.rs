//! How a message of a one-way flow arrives at its target, or is dropped.

use ferry_layout::{Delivery, DomainId, Span, Standing};

use super::Engine;

impl Engine {
    /// The request and the place for a message of `length` bytes at `target`. `None` if there is none now.
    pub(super) fn place_at_target(
        &mut self,
        source: DomainId,
        target: DomainId,
        length: u32,
    ) -> Option<(u32, Span)> {
        let (request, buffer) = self.buffer_at_target(source, target)?;
        let place = buffer.part(0, length)?;
        // It cannot wait until others have had their share, so it is dropped instead.
        if self.fair_part(source, target) == 0 {
            return None;
        }
        self.count_service(source, target, 1, length.into());
        Some((request, place))
    }

    /// The request and the buffer that `source` fills next at `target`, if that can take a message now.
    pub(super) fn buffer_at_target(&mut self, source: DomainId, target: DomainId) -> Option<(u32, Span)> {
        let ports = self.clients[target].ports?;
        if self.clients[target].standing != Standing::Open || !self.has_room(target, ports) {
            return None;
        }
        self.clients[target].requests.find(source).or_else(|| {
            self.look_for_requests(target, ports);
            self.clients[target].requests.find(source)
        })
    }

    /// Files the delivery of a message whose bytes are copied. It becomes visible in `settle`.
    pub(super) fn file_one_way(&mut self, target: DomainId, delivery: Delivery, signals: bool) -> Option<()> {
        let receiver = &mut self.clients[target];
        let ports = receiver.ports?;
        let slot = receiver.deliveries.push()?;
        receiver.requests.use_at_once(delivery.request);
        ports.to_client.deliveries.store(slot, delivery);
        ports.to_client.counters.received_messages.add(1);
        ports.to_client.counters.received_bytes.add(delivery.length.into());
        self.pending.inspect(target);
        if signals {
            self.to_signal.insert(target);
        }
        Some(())
    }

    /// Counts a message that was dropped, where only its receiver can read it.
    pub(super) fn count_dropped(&self, target: DomainId) {
        if let Some(ports) = self.clients[target].ports {
            ports.to_client.dropped.add(1);
        }
    }
}
