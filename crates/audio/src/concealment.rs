//! What is heard in the place of lost packets of codecs that have no way of their own. The last period of the voice goes on
//! and fades, in the manner of ITU-T G.711 appendix I, but without its delay. Where the packet after the loss is there
//! already, its first period goes back into the gap as well, and the period that goes on is the one that arrives there in
//! step: what comes after the loss tells as much of it as what was before.

/// What is remembered, in milliseconds: two of the longest periods.
const PAST_MILLIS: usize = 30;

/// The shortest and the longest period of a voice that is looked for (66 to 330 Hz; a higher voice repeats by several).
const PERIOD_MILLIS_MIN: usize = 3;
const PERIOD_MILLIS_MAX: usize = 15;

/// So much of the end is compared with what was before: the voice as it is now, not as it was.
const WINDOW_MILLIS: usize = 10;

/// The same of what comes after a loss, of which only a packet is there.
const WINDOW_BACK_MILLIS: usize = 8;

/// A shorter packet tells no period of its own: it is taken for that of the voice before the loss.
const BACK_MILLIS_MIN: usize = 16;

/// The voice is gone after so long. Most losses are of one packet, which keeps three quarters of its loudness; what goes on
/// longer would sound like a machine. Measured: the appendix's slower fade is worth less by PESQ.
const FADE_MILLIS: usize = 40;

/// How long what comes after a loss is faded over: two fifths of the loss, within these bounds.
const JOIN_MILLIS_MIN: usize = 4;
const JOIN_MILLIS_MAX: usize = 10;

/// The prediction is made from so much of the past.
const PREDICTOR_MILLIS: usize = 20;

/// How many past samples tell how the next ones go on.
const ORDER: usize = 16;

/// Stands in for lost speech of one stream. It has to hear all that is heard.
#[derive(Clone, Debug)]
pub struct Concealment {
    per_milli: usize,
    /// What was heard last, also in the place of losses.
    recent: Vec<i16>,
    /// How what was heard before the loss goes on, while there is one.
    forth: Extension,
    /// How what comes after it leads back into it.
    back: Extension,
    /// Samples concealed since the loss began; 0 if there is none.
    lost: usize,
}

/// A piece of speech that goes on: its last period again and again.
#[derive(Clone, Debug)]
struct Extension {
    past: Vec<i16>,
    period: usize,
    /// The end of a period is faded over so much into its beginning.
    join: usize,
    /// How the last samples would have rung out.
    ringing: Vec<f32>,
}

impl Concealment {
    /// For mono speech with so many samples a second, a multiple of 1 000.
    pub fn new(sample_rate: u32) -> Concealment {
        let per_milli = (sample_rate as usize / 1000).max(1);
        let extension = Extension {
            past: vec![0; PAST_MILLIS * per_milli],
            period: PERIOD_MILLIS_MIN * per_milli,
            join: 0,
            ringing: vec![0.0; PERIOD_MILLIS_MAX * per_milli / 4],
        };
        let recent = vec![0; PAST_MILLIS * per_milli];
        Concealment { per_milli, recent, forth: extension.clone(), back: extension, lost: 0 }
    }

    /// Takes speech that has come. After a loss, what stood in for it fades out over the beginning of `samples`, in place.
    pub fn hear(&mut self, samples: &mut [i16]) {
        if self.lost > 0 {
            let (least, most) = (JOIN_MILLIS_MIN * self.per_milli, JOIN_MILLIS_MAX * self.per_milli);
            let join = (self.lost * 2 / 5).clamp(least, most).min(samples.len());
            for (index, sample) in samples.iter_mut().take(join).enumerate() {
                let share = (index + 1) as f32 / (join + 1) as f32;
                *sample = (f32::from(*sample) * share + self.fading() * (1.0 - share)) as i16;
            }
            self.lost = 0;
        }
        self.remember(samples);
    }

    /// Appends `span` samples that stand in for what did not come.
    pub fn conceal(&mut self, span: usize, samples: &mut Vec<i16>) {
        if self.lost == 0 {
            self.forth.begin(&self.recent, self.per_milli, |_| 0.0);
        }
        self.fade(span, samples);
    }

    /// As [`Concealment::conceal`], where what comes after the loss is there already: `next` is heard after this. What was
    /// before the loss goes on and fades into what leads to `next`, so that it is joined without a fade of its own.
    pub fn bridge(&mut self, span: usize, next: &[i16], samples: &mut Vec<i16>) {
        let Some(joined) = next.get(..WINDOW_BACK_MILLIS * self.per_milli) else {
            return self.conceal(span, samples);
        };
        let (begins, recent) = (self.lost == 0, &self.recent);
        if begins {
            self.forth.begin(recent, self.per_milli, |period| continues(recent, period, span, joined));
        }
        if !self.back.begin_back(next, self.per_milli, self.forth.period) {
            return self.fade(span, samples);
        }
        let start = samples.len();
        for at in 0..span {
            // A voice that is there again has not faded meanwhile.
            let forth = if begins { self.forth.sample(at) } else { self.fading() };
            let share = (at + 1) as f32 / (span + 1) as f32;
            let back = self.back.sample(span - 1 - at);
            samples.push((forth * (1.0 - share) + back * share) as i16);
        }
        self.lost = 0;
        self.remember(samples.get(start..).unwrap_or_default());
    }

    /// Appends what was before the loss, more and more quietly.
    fn fade(&mut self, span: usize, samples: &mut Vec<i16>) {
        let start = samples.len();
        for _ in 0..span {
            let next = self.fading();
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

    /// The next sample of what was before the loss, more and more quietly.
    fn fading(&mut self) -> f32 {
        let at = self.lost;
        self.lost += 1;
        let fade = FADE_MILLIS * self.per_milli;
        if at >= fade { 0.0 } else { self.forth.sample(at) * (fade - at) as f32 / fade as f32 }
    }
}

impl Extension {
    /// Goes on after `past`. `merit` says what else speaks for a period, -1 to 1.
    fn begin(&mut self, past: &[i16], per_milli: usize, merit: impl Fn(usize) -> f32) {
        self.past.copy_from_slice(past);
        self.period = period(past, WINDOW_MILLIS * per_milli, per_milli, merit);
        self.join = self.period / 4;
        ring_out(&self.past, per_milli, &mut self.ringing);
    }

    /// Goes back from before `next`, in the voice's period before the loss if `next` is too short to tell its own. False if
    /// there is not even one such period in it.
    fn begin_back(&mut self, next: &[i16], per_milli: usize, period_before: usize) -> bool {
        self.past.fill(0);
        for (place, sample) in self.past.iter_mut().rev().zip(next) {
            *place = *sample;
        }
        let known = self.past.get(self.past.len().saturating_sub(next.len())..).unwrap_or_default();
        self.period = match next.len() < BACK_MILLIS_MIN * per_milli {
            true => period_before,
            false => period(known, WINDOW_BACK_MILLIS * per_milli, per_milli, |_| 0.0),
        };
        let Some(beyond) = known.len().checked_sub(self.period) else { return false };
        self.join = beyond.min(self.period / 4);
        ring_out(&self.past, per_milli, &mut self.ringing);
        true
    }

    /// A sample of what goes on. It begins as the sound would have rung out, so that the step from one to the other is not
    /// heard.
    fn sample(&self, at: usize) -> f32 {
        let value = self.repeated(at % self.period);
        // What rings out needs no more than is known.
        let join = self.period / 4;
        match self.ringing.get(at) {
            Some(ringing) if at < join => {
                let share = (at + 1) as f32 / (join + 1) as f32;
                value * share + ringing * (1.0 - share)
            }
            _ => value,
        }
    }

    /// A sample of the last period. Its end is faded into what came before its beginning, so that the turn is not heard.
    fn repeated(&self, at: usize) -> f32 {
        let sample = |back: usize| {
            let place = self.past.len().checked_sub(back);
            place.and_then(|place| self.past.get(place)).map_or(0.0, |sample| f32::from(*sample))
        };
        let value = sample(self.period - at);
        let into_join = (at + self.join + 1).saturating_sub(self.period);
        if into_join == 0 {
            return value;
        }
        let share = into_join as f32 / (self.join + 1) as f32;
        value * (1.0 - share) + sample(2 * self.period - at) * share
    }
}

/// The distance at which the end of `past`, a window long, is most like what was before it.
fn period(past: &[i16], window: usize, per_milli: usize, merit: impl Fn(usize) -> f32) -> usize {
    let least = PERIOD_MILLIS_MIN * per_milli;
    let most = (PERIOD_MILLIS_MAX * per_milli).min(past.len().saturating_sub(window)).max(least);
    // First at 4 kHz, then exactly about what was found.
    let step = (per_milli / 4).max(1);
    let coarse = best(past, window, (least..=most).step_by(step), step, &merit);
    let about = (coarse + 1).saturating_sub(step).max(least)..=(coarse + step - 1).min(most);
    best(past, window, about, 1, &merit)
}

fn best(
    past: &[i16],
    window: usize,
    lags: impl Iterator<Item = usize>,
    step: usize,
    merit: &impl Fn(usize) -> f32,
) -> usize {
    let start = past.len().saturating_sub(window);
    let now = || past.iter().skip(start).step_by(step);
    let mut found: Option<(f32, usize)> = None;
    for lag in lags {
        let before = past.iter().skip(start.saturating_sub(lag)).step_by(step);
        let likeness = likeness(now().zip(before)) + merit(lag);
        if found.is_none_or(|(best, _)| likeness > best) {
            found = Some((likeness, lag));
        }
    }
    found.map_or(1, |(_, lag)| lag)
}

/// How well `past` with this period, said again for `span` samples, is continued by `next`.
fn continues(past: &[i16], period: usize, span: usize, next: &[i16]) -> f32 {
    let last = past.get(past.len().saturating_sub(period)..).unwrap_or_default();
    let again = last.iter().cycle().skip(span % period.max(1));
    likeness(next.iter().zip(again))
}

/// 1 if the pairs are alike but for their loudness, -1 if each is the other's negative.
fn likeness<'a>(pairs: impl Iterator<Item = (&'a i16, &'a i16)>) -> f32 {
    let (mut product, mut power_one, mut power_other) = (0.0, 1.0, 1.0);
    for (one, other) in pairs {
        let (one, other) = (f32::from(*one), f32::from(*other));
        product += one * other;
        power_one += one * one;
        power_other += other * other;
    }
    product / f32::sqrt(power_one * power_other)
}

/// How the sound goes on if nothing drives it any more: by linear prediction from the last of the past.
fn ring_out(past: &[i16], per_milli: usize, ringing: &mut [f32]) {
    let predictor = predictor(past.get(past.len() - PREDICTOR_MILLIS * per_milli..).unwrap_or_default());
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
