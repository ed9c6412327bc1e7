//! What was answered lately. It holds what callers said and what is known of them: none of it is ever printed.

use base::Time;
use ivr::Answer;
use std::collections::BTreeMap;

/// Answers that are kept; the oldest makes room for one more.
pub(crate) const ANSWERS_MAX: usize = 10_000;

/// Whose question, by the number of the look-up, and what was given with it.
pub(crate) type Key = (u64, Vec<String>);

/// Answers by question.
#[derive(Default)]
pub(crate) struct Cache {
    answers: BTreeMap<Key, Kept>,
    /// The questions by the serial of their answers: the oldest first, each once.
    order: BTreeMap<u64, Key>,
    serial: u64,
}

struct Kept {
    serial: u64,
    answer: Answer,
    until: Time,
}

impl Cache {
    /// The answer, if it still holds.
    pub(crate) fn get(&self, now: Time, key: &Key) -> Option<Answer> {
        self.answers.get(key).filter(|kept| kept.until > now).map(|kept| kept.answer.clone())
    }

    /// Keeps an answer until then, in the place of an earlier one to the same question.
    pub(crate) fn put(&mut self, key: Key, answer: Answer, until: Time) {
        self.drop(&key);
        if self.order.len() >= ANSWERS_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.answers.remove(&oldest);
        }
        self.serial += 1;
        self.order.insert(self.serial, key.clone());
        self.answers.insert(key, Kept { serial: self.serial, answer, until });
    }

    /// Forgets all answers of a look-up.
    pub(crate) fn forget(&mut self, look_up: u64) {
        let theirs = self.answers.range((look_up, Vec::new())..(look_up + 1, Vec::new()));
        for key in theirs.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.drop(&key);
        }
    }

    fn drop(&mut self, key: &Key) {
        if let Some(kept) = self.answers.remove(key) {
            self.order.remove(&kept.serial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LATER: Time = Time::from_millis(1000);

    fn key(number: usize) -> Key {
        (1, vec![number.to_string()])
    }

    #[test]
    fn an_answer_holds_as_long_as_was_said_and_for_its_question_alone() {
        let mut cache = Cache::default();
        cache.put(key(1), Answer::Missing, LATER);
        assert_eq!(cache.get(Time::from_millis(999), &key(1)), Some(Answer::Missing));
        assert_eq!(cache.get(LATER, &key(1)), None);
        assert_eq!(cache.get(Time::ZERO, &key(2)), None);
        assert_eq!(cache.get(Time::ZERO, &(2, vec!["1".to_owned()])), None);
    }

    #[test]
    fn it_never_holds_more_than_it_may_and_the_oldest_goes_first() {
        let mut cache = Cache::default();
        for number in 0..ANSWERS_MAX + 10 {
            cache.put(key(number), Answer::Missing, LATER);
            assert!(cache.order.len() <= ANSWERS_MAX && cache.answers.len() == cache.order.len());
        }
        assert_eq!(cache.get(Time::ZERO, &key(9)), None);
        assert_eq!(cache.get(Time::ZERO, &key(10)), Some(Answer::Missing));
        assert_eq!(cache.get(Time::ZERO, &key(ANSWERS_MAX + 9)), Some(Answer::Missing));
    }

    #[test]
    fn one_question_again_and_again_pushes_no_other_out() {
        let mut cache = Cache::default();
        cache.put(key(1), Answer::Missing, LATER);
        for again in 0..2 * ANSWERS_MAX as u64 {
            cache.put(key(2), Answer::Missing, LATER + Duration::from_secs(again));
        }
        assert_eq!(cache.get(Time::ZERO, &key(1)), Some(Answer::Missing));
        assert_eq!(cache.get(LATER, &key(2)), Some(Answer::Missing), "the latest answer holds");
        assert_eq!((cache.answers.len(), cache.order.len()), (2, 2));
    }

    #[test]
    fn a_look_up_that_is_no_more_leaves_nothing_behind() {
        let mut cache = Cache::default();
        cache.put((1, Vec::new()), Answer::Missing, LATER);
        cache.put((2, Vec::new()), Answer::Missing, LATER);
        cache.forget(1);
        assert_eq!(cache.get(Time::ZERO, &(1, Vec::new())), None);
        assert_eq!(cache.get(Time::ZERO, &(2, Vec::new())), Some(Answer::Missing));
        assert_eq!((cache.answers.len(), cache.order.len()), (1, 1));
    }
}
