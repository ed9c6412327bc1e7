//! What was answered lately. It holds what callers said and what is known of them: none of it is ever printed.

use base::Time;
use ivr::Answer;
use std::collections::{HashMap, VecDeque};

/// Answers that are kept; the oldest makes room for one more.
pub(crate) const ANSWERS_MAX: usize = 10_000;

/// Whose question, by the number of the look-up, and what was given with it.
pub(crate) type Key = (u64, Vec<String>);

/// Answers by question.
#[derive(Default)]
pub(crate) struct Cache {
    answers: HashMap<Key, Kept>,
    /// In the order in which they were put in: each with the number of its `Kept`, which tells it from an earlier
    /// answer to the same question.
    order: VecDeque<(u64, Key)>,
    kept: u64,
}

struct Kept {
    number: u64,
    answer: Answer,
    until: Time,
}

impl Cache {
    /// The answer, if it still holds.
    pub(crate) fn get(&self, now: Time, key: &Key) -> Option<Answer> {
        self.answers.get(key).filter(|kept| kept.until > now).map(|kept| kept.answer.clone())
    }

    /// Keeps an answer until then.
    pub(crate) fn put(&mut self, key: Key, answer: Answer, until: Time) {
        self.kept += 1;
        self.order.push_back((self.kept, key.clone()));
        self.answers.insert(key, Kept { number: self.kept, answer, until });
        while self.order.len() > ANSWERS_MAX {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((number, key)) = self.order.pop_front() else { return };
        if self.answers.get(&key).is_some_and(|kept| kept.number == number) {
            self.answers.remove(&key);
        }
    }

    /// Forgets all answers of a look-up.
    pub(crate) fn forget(&mut self, look_up: u64) {
        self.order.retain(|(_, key)| key.0 != look_up);
        self.answers.retain(|key, _| key.0 != look_up);
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
            // The same question again and again does not push others out of the answers.
            cache.put(key(number), Answer::Missing, LATER + Duration::from_secs(1));
            assert!(cache.order.len() <= ANSWERS_MAX && cache.answers.len() <= ANSWERS_MAX);
        }
        assert_eq!(cache.get(Time::ZERO, &key(0)), None);
        assert_eq!(cache.get(LATER, &key(ANSWERS_MAX + 9)), Some(Answer::Missing));
    }

    #[test]
    fn a_look_up_that_is_no_more_leaves_nothing_behind() {
        let mut cache = Cache::default();
        cache.put((1, Vec::new()), Answer::Missing, LATER);
        cache.put((2, Vec::new()), Answer::Missing, LATER);
        cache.forget(1);
        assert_eq!(cache.get(Time::ZERO, &(1, Vec::new())), None);
        assert_eq!(cache.get(Time::ZERO, &(2, Vec::new())), Some(Answer::Missing));
        assert_eq!(cache.order.len(), 1);
    }
}
