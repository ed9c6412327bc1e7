use std::collections::VecDeque;

/// Room for so many outputs is kept between two inputs.
const KEPT: usize = 64;

/// Takes the next of a machine's outputs. The room that a busy moment needed is given back with the last of them: what
/// one second needed is not to be held for months.
pub fn next_output<T>(outputs: &mut VecDeque<T>) -> Option<T> {
    let output = outputs.pop_front();
    if outputs.is_empty() && outputs.capacity() > KEPT {
        *outputs = VecDeque::new();
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_of_a_busy_moment_is_given_back_and_no_output_is_lost() {
        let mut outputs: VecDeque<usize> = (0..1000).collect();
        let taken: Vec<usize> = std::iter::from_fn(|| next_output(&mut outputs)).collect();
        assert_eq!(taken, (0..1000).collect::<Vec<_>>());
        assert_eq!(outputs.capacity(), 0);
        outputs.push_back(1);
        let kept = outputs.capacity();
        assert_eq!((next_output(&mut outputs), outputs.capacity()), (Some(1), kept));
    }
}
