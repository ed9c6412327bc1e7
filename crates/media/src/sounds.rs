//! Which sounds have been asked for and who waits for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Key, Time};
use media_api::{Codec, RoomId};

use crate::leg::Leg;
use crate::outbox::Outbox;

/// More different sounds are not asked for at a time; who wants one more does without.
const WANTED_MAX: usize = 4096;

/// A question that was not answered for so long is lost and may be put again.
const ANSWER_SPAN: Duration = Duration::from_secs(2);

/// Asks for a source in a codec.
pub(crate) type Ask<'a> = &'a mut dyn FnMut((&Arc<str>, Codec));

#[derive(Debug, Default)]
pub(crate) struct Wanted {
    questions: BTreeMap<(Arc<str>, Codec), Question>,
}

#[derive(Debug)]
struct Question {
    asked_at: Time,
    waiting: Vec<Waiter>,
}

/// Who waits for a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    Leg(Key<Leg>),
    Room(RoomId),
}

impl Wanted {
    /// `who` wants this sound in this codec.
    pub(crate) fn ask(&mut self, now: Time, wish: (&Arc<str>, Codec), who: Waiter, out: &mut Outbox) {
        let wish = (Arc::clone(wish.0), wish.1);
        if let Some(question) = self.questions.get_mut(&wish) {
            if !question.waiting.contains(&who) {
                question.waiting.push(who);
            }
            if now - question.asked_at < ANSWER_SPAN {
                return;
            }
            question.asked_at = now;
        } else if self.questions.len() < WANTED_MAX {
            let question = Question { asked_at: now, waiting: vec![who] };
            self.questions.insert(wish.clone(), question);
        } else {
            return;
        }
        out.need_sound(wish.0, wish.1);
    }

    /// The sound was answered: who has waited for it.
    pub(crate) fn answered(&mut self, source: &Arc<str>, codec: Codec) -> Vec<Waiter> {
        self.questions
            .remove(&(Arc::clone(source), codec))
            .map(|question| question.waiting)
            .unwrap_or_default()
    }

    /// `who` is no more and waits for nothing.
    pub(crate) fn forget(&mut self, who: Waiter) {
        for question in self.questions.values_mut() {
            question.waiting.retain(|waiting| *waiting != who);
        }
    }
}
