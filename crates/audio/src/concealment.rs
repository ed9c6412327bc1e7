//! What is heard in the place of lost packets of codecs that have no way of their own: the last period of the voice goes
//! on and fades, in the manner of ITU-T G.711 appendix I, but without its delay.

/// What is remembered, in milliseconds: three of the longest periods, and a quarter of one to join them.
const PAST_MILLIS: usize = 50;

/// The longest and the shortest period of a voice that is looked for (66 to 200 Hz; a higher voice repeats by several).
const PERIOD_MILLIS_MAX: usize = 15;
const PERIOD_MILLIS_MIN: usize = 5;

/// So much of the past is compared with what was before.
const WINDOW_MILLIS: usize = 20;

/// After each of these times one more period is repeated in turn, for one alone sounds like a machine.
const MORE_PERIODS_MILLIS: usize = 10;
const PERIODS_MAX: usize = 3;

/// The voice fades from here to there: what goes on longer was not meant.
const FADE_FROM_MILLIS: usize = 10;
const FADE_TO_MILLIS: usize = 60;

/// How long what comes after a loss is faded over: at first, and after a long loss.
const JOIN_MILLIS_MIN: usize = 4;
const JOIN_MILLIS_MAX: usize = 10;

/// How many past samples tell how the next ones go on.
const ORDER: usize = 16;

/// Stands in for lost speech of one stream. It has to hear all that is heard.
#[derive(Clone, Debug)]
pub struct Concealment {
    per_milli: usize,
    /// What was heard last, also in the place of losses.
    recent: Vec<i16>,
    /// The same as it was when the loss began, while there is one.
    past: Vec<i16>,
    /// How the last samples would have rung out.
    ringing: Vec<f32>,
    /// Samples concealed since the loss began; 0 if there is none.
    lost: usize,
    period: usize,
    turn: Turn,
    /// The turn before, which is being left.
    left: Option<Turn>,
}

/// Where in how many repeated periods it is.
#[derive(Clone, Copy, Debug)]
struct Turn {
    periods: usize,
    at: usize,
    /// The loss's sample at which it began.
    since: usize,
}

impl Concealment {
    /// For mono speech with so many samples a second, a multiple of 1 000.
    pub fn new(sample_rate: u32) -> Concealment {
        let per_milli = (sample_rate as usize / 1000).max(1);
        Concealment {
            per_milli,
            recent: vec![0; PAST_MILLIS * per_milli],
            past: vec![0; PAST_MILLIS * per_milli],
            ringing: vec![0.0; PERIOD_MILLIS_MAX * per_milli / 4],
            lost: 0,
            period: PERIOD_MILLIS_MIN * per_milli,
            turn: Turn { periods: 1, at: 0, since: 0 },
            left: None,
        }
    }

    /// Takes speech that has come. After a loss, what stood in for it fades out over the beginning of `samples`, in place.
    pub fn hear(&mut self, samples: &mut [i16]) {
        if self.lost > 0 {
            let more = self.lost.saturating_sub(MORE_PERIODS_MILLIS * self.per_milli) * 4 / 10;
            let most = JOIN_MILLIS_MAX * self.per_milli;
            let join = (JOIN_MILLIS_MIN * self.per_milli + more).min(most).min(samples.len());
            for (index, sample) in samples.iter_mut().take(join).enumerate() {
                let share = (index + 1) as f32 / (join + 1) as f32;
                *sample = (f32::from(*sample) * share + self.next() * (1.0 - share)) as i16;
            }
            self.lost = 0;
        }
        self.remember(samples);
    }

    /// Appends `span` samples that stand in for what did not come.
    pub fn conceal(&mut self, span: usize, samples: &mut Vec<i16>) {
        if self.lost == 0 {
            self.begin();
        }
        let start = samples.len();
        for _ in 0..span {
            let next = self.next();
            samples.push(next as i16);
        }
        self.remember(samples.get(start..).unwrap_or_default());
    }

    fn remember(&mut self, samples: &[i16]) {
        let length = self.recent.len();
        let new = samples.get(samples.len().saturating_sub(length)..).unwrap_or_default();
        self.recent.copy_within(new.len().., 0);
        if let Some(end) = self.recent.get_mut(length - new.len()..) {
            end.copy_from_slice(new);
        }
    }

    fn begin(&mut self) {
        self.past.copy_from_slice(&self.recent);
        self.period = period(&self.past, self.per_milli);
        self.turn = Turn { periods: 1, at: 0, since: 0 };
        self.left = None;
        ring_out(&self.past, self.per_milli, &mut self.ringing);
    }

    /// The next sample of what stands in.
    fn next(&mut self) -> f32 {
        let gain = self.gain();
        if gain == 0.0 {
            self.lost += 1;
            return 0.0;
        }
        let periods = (1 + self.lost / (MORE_PERIODS_MILLIS * self.per_milli)).min(PERIODS_MAX);
        if periods != self.turn.periods {
            self.left = Some(self.turn);
            self.turn = Turn { periods, at: self.turn.at % self.period, since: self.lost };
        }
        let join = self.period / 4;
        let value = self.step(|concealment| &mut concealment.turn);
        let since = self.lost - self.turn.since;
        let share = (since + 1) as f32 / (join + 1) as f32;
        let before = match self.left {
            _ if since >= join => None,
            Some(mut left) => {
                let value = self.read(left);
                left.at = (left.at + 1) % (left.periods * self.period);
                self.left = Some(left);
                Some(value)
            }
            None => self.ringing.get(since).copied(),
        };
        let value = before.map_or(value, |before| value * share + before * (1.0 - share));
        self.lost += 1;
        value * gain
    }

    fn step(&mut self, turn: impl Fn(&mut Concealment) -> &mut Turn) -> f32 {
        let now = *turn(self);
        let value = self.read(now);
        turn(self).at = (now.at + 1) % (now.periods * self.period);
        value
    }

    /// A sample of the repeated periods. The end of the last is faded into what came before the first, so that the turn is
    /// not heard.
    fn read(&self, turn: Turn) -> f32 {
        let length = turn.periods * self.period;
        let sample = |back: usize| {
            let at = self.past.len().checked_sub(back);
            at.and_then(|at| self.past.get(at)).map_or(0.0, |sample| f32::from(*sample))
        };
        let value = sample(length - turn.at);
        let join = self.period / 4;
        let into_join = (turn.at + join + 1).saturating_sub(length);
        if into_join == 0 {
            return value;
        }
        let share = into_join as f32 / (join + 1) as f32;
        value * (1.0 - share) + sample(2 * length - turn.at) * share
    }

    fn gain(&self) -> f32 {
        let (from, to) = (FADE_FROM_MILLIS * self.per_milli, FADE_TO_MILLIS * self.per_milli);
        let left = to.saturating_sub(self.lost.max(from));
        left as f32 / (to - from) as f32
    }
}

/// The distance at which the end of `past` is most like what was before it.
fn period(past: &[i16], per_milli: usize) -> usize {
    let (least, most) = (PERIOD_MILLIS_MIN * per_milli, PERIOD_MILLIS_MAX * per_milli);
    // First at 4 kHz, then exactly about what was found.
    let step = (per_milli / 4).max(1);
    let coarse = best(past, per_milli, (least..=most).step_by(step), step);
    best(past, per_milli, (coarse + 1).saturating_sub(step).max(least)..=(coarse + step - 1).min(most), 1)
}

fn best(past: &[i16], per_milli: usize, lags: impl Iterator<Item = usize>, step: usize) -> usize {
    let start = past.len() - WINDOW_MILLIS * per_milli;
    let (mut best, mut best_likeness) = (PERIOD_MILLIS_MAX * per_milli, f32::MIN);
    for lag in lags {
        let (mut product, mut power) = (0.0, 1.0);
        let now = past.iter().skip(start).step_by(step);
        let before = past.iter().skip(start.saturating_sub(lag)).step_by(step);
        for (now, before) in now.zip(before) {
            let (now, before) = (f32::from(*now), f32::from(*before));
            product += now * before;
            power += before * before;
        }
        let likeness = product / f32::sqrt(power);
        if likeness > best_likeness {
            (best, best_likeness) = (lag, likeness);
        }
    }
    best
}

/// How the sound goes on if nothing drives it any more: by linear prediction from the last 20 ms.
fn ring_out(past: &[i16], per_milli: usize, ringing: &mut [f32]) {
    let predictor = predictor(past.get(past.len() - WINDOW_MILLIS * per_milli..).unwrap_or_default());
    let mut last = [0.0; ORDER];
    for (last, sample) in last.iter_mut().zip(past.iter().rev()) {
        *last = f32::from(*sample);
    }
    for place in ringing {
        let next: f32 = last.iter().zip(&predictor).map(|(sample, weight)| sample * weight).sum();
        let next = next.clamp(-32_768.0, 32_767.0);
        last.copy_within(..ORDER - 1, 1);
        last[0] = next;
        *place = next;
    }
}

/// The weights of the last samples, the newest first, that foresee the next best (Levinson and Durbin).
fn predictor(samples: &[i16]) -> [f32; ORDER] {
    let mut alike = [0.0; ORDER + 1];
    let count = samples.len() as f32;
    // A window lets the ends not count as jumps.
    let weighted = |at: usize, sample: &i16| {
        let turn = (at as f32 + 0.5) / count * std::f32::consts::PI;
        f32::from(*sample) * turn.sin()
    };
    for (lag, alike) in alike.iter_mut().enumerate() {
        let later = samples.iter().enumerate().skip(lag);
        let earlier = samples.iter().enumerate();
        *alike =
            later.zip(earlier).map(|((i, now), (j, before))| weighted(i, now) * weighted(j, before)).sum();
    }
    // A little white noise keeps the weights from ringing for ever.
    let mut error = alike[0] * 1.0001 + 1.0;
    let mut weights = [0.0; ORDER];
    for order in 0..ORDER {
        let known: f32 = (0..order).map(|at| weights[at] * alike[order - at]).sum();
        let reflection = (alike[order + 1] - known) / error;
        let before = weights;
        weights[order] = reflection;
        for at in 0..order {
            weights[at] -= reflection * before[order - 1 - at];
        }
        error *= 1.0 - reflection * reflection;
    }
    weights
}
