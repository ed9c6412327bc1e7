//! Which sounds have been asked for and who waits for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Key, Time};

use crate::leg::Leg;
use crate::outbox::Outbox;

/// More different sounds are not asked for at a time; who wants one more does without.
const WANTED_MAX: usize = 4096;

/// A question that was not answered for so long is lost and may be put again.
const ANSWER_SPAN: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(crate) struct Wanted {
    questions: BTreeMap<Arc<str>, Question>,
}

#[derive(Debug)]
struct Question {
    asked_at: Time,
    waiting: Vec<Key<Leg>>,
}

impl Wanted {
    /// `leg` wants this sound.
    pub(crate) fn ask(&mut self, now: Time, source: &Arc<str>, leg: Key<Leg>, out: &mut Outbox) {
        if let Some(question) = self.questions.get_mut(source) {
            if !question.waiting.contains(&leg) {
                question.waiting.push(leg);
            }
            if now - question.asked_at < ANSWER_SPAN {
                return;
            }
            question.asked_at = now;
        } else if self.questions.len() < WANTED_MAX {
            let question = Question { asked_at: now, waiting: vec![leg] };
            self.questions.insert(Arc::clone(source), question);
        } else {
            return;
        }
        out.need_sound(Arc::clone(source));
    }

    /// The sound was answered: who has waited for it.
    pub(crate) fn answered(&mut self, source: &Arc<str>) -> Vec<Key<Leg>> {
        self.questions.remove(source).map(|question| question.waiting).unwrap_or_default()
    }

    /// `leg` is no more and waits for nothing.
    pub(crate) fn forget(&mut self, leg: Key<Leg>) {
        for question in self.questions.values_mut() {
            question.waiting.retain(|waiting| *waiting != leg);
        }
    }
}
