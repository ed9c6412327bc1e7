use std::collections::VecDeque;

/// A queue that holds at most a stated number of things. What to do when it is full is the caller's
/// written rule, never growth.
#[derive(Debug, Clone)]
pub struct Bounded<T> {
    things: VecDeque<T>,
    limit: usize,
}

impl<T> Bounded<T> {
    /// An empty queue of at most `limit` things.
    pub fn new(limit: usize) -> Bounded<T> {
        Bounded { things: VecDeque::new(), limit }
    }

    /// Puts `thing` at the end, or gives it back if the queue is full.
    pub fn push(&mut self, thing: T) -> Result<(), T> {
        if self.things.len() >= self.limit {
            return Err(thing);
        }
        self.things.push_back(thing);
        Ok(())
    }

    /// Takes the oldest thing out.
    pub fn pop(&mut self) -> Option<T> {
        self.things.pop_front()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_keeps_its_order() {
        let mut queue = Bounded::new(2);
        queue.push(1).unwrap();
        queue.push(2).unwrap();
        assert_eq!(queue.push(3), Err(3));
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(1), Some(2), None));
    }
}
