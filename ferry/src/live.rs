//! What a running system is doing, in one line below its console: since when it runs, which flows it has, and
//! what was restarted or stopped. On a terminal only; elsewhere there is only the console.

use crate::console::Line;
use crate::progress::Step;
use ferry_description::Description;
use std::collections::BTreeMap;

/// The line.
pub(crate) struct Live {
    step: Step,
    /// What runs, and its flows.
    system: String,
    /// What became of protection domains: those that were restarted or stopped.
    news: BTreeMap<String, String>,
}

impl Live {
    /// Begins the line. `what` is a phrase like "running it in QEMU".
    pub(crate) fn begin(what: &str, description: &Description) -> Self {
        let name = |client: u16| description.clients[usize::from(client)].name.as_str();
        let flows = description.flows.iter();
        let flows = flows.map(|flow| format!("{} → {}", name(flow.source), name(flow.target)));
        let flows: Vec<String> = flows.collect();
        let system = format!("{what} · {}", flows.join(", "));
        let step = Step::begin(what);
        step.say(system.as_str());
        Self { step, system, news: BTreeMap::new() }
    }

    /// Shows a line of the console with `show`, and what it says about a domain.
    pub(crate) fn show<R>(&mut self, line: &str, show: impl FnOnce() -> R) -> R {
        let news = match Line::of(line) {
            Line::Fault { domain, kind } => Some((domain, format!("stopped by a fault ({kind})"))),
            Line::Restart { domain, number } => Some((domain, format!("restarted {number}×"))),
            Line::GivenUp { domain } => Some((domain, "given up".to_owned())),
            _ => None,
        };
        if let Some((domain, news)) = news {
            self.news.insert(domain.to_owned(), news);
            let news = self.news.iter().map(|(domain, news)| format!("{domain} {news} · "));
            self.step.say(news.chain([self.system.clone()]).collect::<String>());
        }
        self.step.beside(show)
    }
}
