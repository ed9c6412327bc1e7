//! Speech that is a little shorter or longer than it was said: one period of the voice less or more, where it is alike.

/// The shortest and the longest period that is taken out or put in, in milliseconds.
const PERIOD_MILLIS_MIN: usize = 3;
const PERIOD_MILLIS_MAX: usize = 12;

/// One period fades into the other within so many milliseconds.
const JOIN_MILLIS: usize = 5;

/// How alike two periods must be, 1 being the same: below it is no voice, and a cut would be heard.
const LIKENESS_MIN: f32 = 0.8;

/// Below this mean square (−50 dB of full scale) nobody hears what is cut.
const QUIET: f32 = 10_000.0;

/// What is wished of a piece of speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As it was said.
    Normal,
    /// One period less: too much speech waits.
    Faster,
    /// One period more: too little speech waits.
    Slower,
}

/// Passes one stream of mono speech on, and makes it shorter or longer where that is not heard.
#[derive(Clone, Debug)]
pub struct Stretcher {
    per_milli: usize,
    /// The end of what was passed on, as long as the longest period.
    past: Vec<i16>,
}

impl Stretcher {
    /// For speech with so many samples a second, a multiple of 1 000.
    pub fn new(sample_rate: u32) -> Stretcher {
        let per_milli = (sample_rate as usize / 1000).max(1);
        Stretcher { per_milli, past: vec![0; PERIOD_MILLIS_MAX * per_milli] }
    }

    /// Appends `samples`, by one period of 3 to 12 ms shorter or longer if `pace` wishes it and the speech allows it: if
    /// it is periodic, or too quiet to be heard. Gives by how many samples it became longer (below 0: shorter); 0 if
    /// it was passed on as it is.
    ///
    /// 20 ms are a good piece; of less than 17 ms nothing is taken out. It allocates nothing but what `out` lacks.
    pub fn process(&mut self, pace: Pace, samples: &[i16], out: &mut Vec<i16>) -> i32 {
        let start = out.len();
        let gained = match pace {
            Pace::Normal => None,
            Pace::Faster => self.shorten(samples, out),
            Pace::Slower => self.lengthen(samples, out),
        };
        if gained.is_none() {
            out.extend_from_slice(samples);
        }
        self.remember(out.get(start..).unwrap_or_default());
        gained.unwrap_or(0)
    }

    /// The beginning fades into what comes a period later.
    fn shorten(&self, samples: &[i16], out: &mut Vec<i16>) -> Option<i32> {
        let join = JOIN_MILLIS * self.per_milli;
        let most = (PERIOD_MILLIS_MAX * self.per_milli).min(samples.len().checked_sub(join)?);
        let now = samples.get(..join)?;
        let period = self.period(most, |period| Some((now, samples.get(period..period + join)?)))?;
        let (later, rest) = samples.get(period..)?.split_at_checked(join)?;
        fade(now, later, out);
        out.extend_from_slice(rest);
        Some(-(period as i32))
    }

    /// The beginning fades into what came a period before it; then all of it comes.
    fn lengthen(&self, samples: &[i16], out: &mut Vec<i16>) -> Option<i32> {
        let join = JOIN_MILLIS * self.per_milli;
        let now = samples.get(..join)?;
        // What came a period before may reach into the beginning itself, if the period is shorter than the fade.
        let before = |period: usize| {
            let past = self.past.get(self.past.len().checked_sub(period)?..)?;
            Some(past.get(..join.min(period)).unwrap_or(past))
        };
        let compared = |period: usize| {
            let before = before(period)?;
            Some((now.get(..before.len())?, before))
        };
        let period = self.period(self.past.len(), compared)?;
        let (now, before) = compared(period)?;
        fade(now, before, out);
        out.extend_from_slice(self.past.get(self.past.len() - period + before.len()..)?);
        out.extend_from_slice(samples);
        Some(period as i32)
    }

    /// The period at which the two pieces are most alike, if they are alike enough.
    fn period<'a>(
        &self,
        most: usize,
        pieces: impl Fn(usize) -> Option<(&'a [i16], &'a [i16])>,
    ) -> Option<usize> {
        let step = (self.per_milli / 8).max(1);
        let least = PERIOD_MILLIS_MIN * self.per_milli;
        let compare = |period: usize, step: usize| {
            pieces(period).map_or(f32::MIN, |(one, other)| likeness(one, other, step))
        };
        let best = |periods: &mut dyn Iterator<Item = usize>, step: usize| {
            periods
                .map(|period| (compare(period, step), period))
                .max_by(|one, other| one.0.total_cmp(&other.0))
        };
        let (_, coarse) = best(&mut (least..=most).step_by(step), step)?;
        let about = coarse.saturating_sub(step - 1).max(least)..=(coarse + step - 1).min(most);
        let (likeness, period) = best(&mut about.into_iter(), 1)?;
        (likeness >= LIKENESS_MIN).then_some(period)
    }

    fn remember(&mut self, samples: &[i16]) {
        let length = self.past.len();
        let new = samples.get(samples.len().saturating_sub(length)..).unwrap_or_default();
        self.past.copy_within(new.len().., 0);
        if let Some(end) = self.past.get_mut(length - new.len()..) {
            end.copy_from_slice(new);
        }
    }
}

/// 1 if the one is the other, 0 if they have nothing in common; 1 if both are too quiet to be heard.
fn likeness(one: &[i16], other: &[i16], step: usize) -> f32 {
    let (mut product, mut power_one, mut power_other, mut count) = (0.0, 0.0, 0.0, 0.0);
    for (one, other) in one.iter().zip(other).step_by(step) {
        let (one, other) = (f32::from(*one), f32::from(*other));
        product += one * other;
        power_one += one * one;
        power_other += other * other;
        count += 1.0;
    }
    if power_one.max(power_other) <= QUIET * count {
        return 1.0;
    }
    // By the greater power: a loud period is no substitute for a quiet one.
    product / f32::max(power_one, power_other)
}

/// Appends `from`, more and more of it `to`.
fn fade(from: &[i16], to: &[i16], out: &mut Vec<i16>) {
    let steps = (from.len() + 1) as f32;
    out.extend(from.iter().zip(to).enumerate().map(|(at, (from, to))| {
        let share = (at + 1) as f32 / steps;
        (f32::from(*from) * (1.0 - share) + f32::from(*to) * share) as i16
    }));
}
