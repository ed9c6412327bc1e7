//! Who is told by whom a frame is spoken, for those listeners who are told so.

use base::Key;
use media_api::SpeakersTold;

use super::{Member, Room};
use crate::contributors::Contributor;
use crate::leg::Leg;
use crate::loudness::{energy, level_of};

impl Member {
    fn contributor(&self) -> Contributor {
        Contributor { source: self.leg.source(), level: level_of(energy(&self.frame), self.frame.len()) }
    }
}

impl Room {
    /// Those who speak to all in this frame.
    pub(super) fn list_speakers(&mut self) {
        self.speakers.clear();
        let speakers = self.members.iter().filter(|(_, member)| member.speaks);
        self.speakers.extend(speakers.map(|(key, member)| (*key, member.contributor())));
    }

    /// Lists in `listed` whom this listener hears in this frame, as far as it is told.
    pub(super) fn list_heard_by(&self, key: Key<Leg>, told: SpeakersTold, listed: &mut Vec<Contributor>) {
        listed.clear();
        if told == SpeakersTold::Nothing || self.is_told_alone(key) {
            return;
        }
        let others = self.speakers.iter().filter(|(speaker, _)| *speaker != key);
        listed.extend(others.map(|(_, contributor)| *contributor));
        listed.extend(self.whispers_to(key).map(Member::contributor));
    }

    /// Whether this party hears an announcement and nothing else.
    fn is_told_alone(&self, key: Key<Leg>) -> bool {
        let leg = self.members.get(&key).map(|member| member.leg);
        let mut announcements = self.announcements.iter();
        announcements
            .any(|announcement| announcement.alone && leg.is_some_and(|leg| announcement.is_for(leg)))
    }
}
