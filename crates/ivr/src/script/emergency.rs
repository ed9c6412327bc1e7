//! `[emergency]`: where calls begin, and what can be said to them first, while somebody has closed the desk by command.

use super::flow::Reader;
use super::kinds::uses;
use super::model::{Exit, Flow, Kind, NodeId};
use document::Entry;

/// What a script says of closures by command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Emergency {
    /// Where calls begin then; where they always do, if it is not said.
    pub(crate) start: Option<NodeId>,
    /// The phrases that the command may have said first, in every language.
    pub(crate) messages: Vec<String>,
}

/// `[emergency]` with `start`, `messages` or both.
pub(super) fn read(reader: &mut Reader<'_>, entry: Option<&Entry<'_>>) -> Emergency {
    let Some(entry) = entry else { return Emergency::default() };
    let Some(mut section) = reader.document.section(entry) else { return Emergency::default() };
    let start = section.take("start");
    let messages = section.take("messages");
    if start.is_none() && messages.is_none() {
        let what_to_do =
            "write `start`, the node that calls begin in then, or `messages`, phrases to be said first";
        reader.document.fault(entry.at, "`[emergency]` says nothing", what_to_do);
    }
    let start = start.and_then(|start| reader.node(&start));
    let messages = messages.map(|messages| reader.document.texts(&messages)).unwrap_or_default();
    for (phrase, at) in &messages {
        uses(reader, phrase, None, *at);
    }
    section.finish(&mut reader.document);
    Emergency { start, messages: messages.into_iter().map(|(phrase, _)| phrase.to_owned()).collect() }
}

impl Flow {
    /// Where a call that would begin in `usual` goes while the desk is closed by command: to the node that the script
    /// names; or where it always does, for every calendar answers `closed` then; or, where no calendar is asked, to its end.
    pub(crate) fn in_emergency(&self, usual: NodeId) -> Exit {
        let asks = self.nodes.iter().any(|node| matches!(node.kind, Kind::Hours { .. }));
        match self.emergency.start {
            Some(start) => Exit::To(start),
            None if asks => Exit::To(usual),
            None => Exit::HangUp("emergency"),
        }
    }
}
