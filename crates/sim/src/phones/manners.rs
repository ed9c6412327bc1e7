//! The habits of phones and people: good ones, and the menu of bad ones.

use base::Rng;
use std::time::Duration;

/// How a caller's phone behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallerManners {
    Good,
    NeverAcknowledges,
    AcknowledgesLate,
    /// CANCEL at any moment, so that it crosses the 200 as often as not.
    Cancels,
    HangsUpTwice,
    /// Requests whose CSeq does not rise.
    CountsBackwards,
    SpeaksAfterTheEnd,
    RepeatsEverything,
    HoldsByZero,
    OffersNothing,
    /// Each key by RTP and by INFO.
    PressesTwice,
    SendsGarbage,
    Vanishes,
    /// Two offers at once, and 491 for ours.
    OffersAcross,
    NeverAnswersRequests,
    /// BYE where CANCEL would be right.
    HangsUpUnanswered,
    /// Methods that nobody asked for.
    AsksStrangeThings,
    RefusesOffers,
    /// Its NAT gives it another port, and it says so.
    ChangesItsPort,
}

/// How an agent's phone behaves with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CalleeManners {
    Answers,
    Refuses(u16),
    /// Sends the call elsewhere (302), rightly or not.
    Forwards,
    LetsItRing,
    /// 200 from two forks.
    AnswersTwice,
    /// Answers just when the CANCEL comes.
    AnswersTheCancel,
    /// Never says the end of the INVITE, whatever comes.
    RingsForEver,
    AnswersWithoutRinging,
    AnswersNonsense,
    AnswersWithoutMedia,
    HangsUpAtOnce,
    /// The phone is unplugged when it rings.
    VanishesRinging,
    /// Many provisional answers.
    Chatters,
    RepeatsEverything,
    /// BYE when BYE comes.
    HangsUpAcross,
    NeverAnswersRequests,
}

impl CallerManners {
    pub(crate) fn draw(rng: &mut Rng, bad: bool) -> CallerManners {
        use CallerManners as M;
        const BAD: [CallerManners; 18] = [
            M::NeverAcknowledges,
            M::AcknowledgesLate,
            M::Cancels,
            M::HangsUpTwice,
            M::CountsBackwards,
            M::SpeaksAfterTheEnd,
            M::RepeatsEverything,
            M::HoldsByZero,
            M::OffersNothing,
            M::PressesTwice,
            M::SendsGarbage,
            M::Vanishes,
            M::OffersAcross,
            M::NeverAnswersRequests,
            M::HangsUpUnanswered,
            M::AsksStrangeThings,
            M::RefusesOffers,
            M::ChangesItsPort,
        ];
        if bad && rng.chance_permille(450) { one_of(rng, &BAD) } else { M::Good }
    }
}

impl CalleeManners {
    pub(crate) fn draw(rng: &mut Rng, bad: bool) -> CalleeManners {
        use CalleeManners as M;
        const BAD: [CalleeManners; 12] = [
            M::AnswersTwice,
            M::AnswersTheCancel,
            M::RingsForEver,
            M::AnswersWithoutRinging,
            M::AnswersNonsense,
            M::AnswersWithoutMedia,
            M::HangsUpAtOnce,
            M::VanishesRinging,
            M::Chatters,
            M::RepeatsEverything,
            M::HangsUpAcross,
            M::NeverAnswersRequests,
        ];
        match rng.below(1000) {
            _ if bad && rng.chance_permille(250) => one_of(rng, &BAD),
            0..60 => M::Refuses(486),
            60..90 => M::Refuses(480),
            90..110 => M::Refuses(603),
            110..120 => M::Refuses(500),
            120..135 => M::Forwards,
            135..200 => M::LetsItRing,
            _ => M::Answers,
        }
    }
}

pub(crate) fn one_of<T: Copy>(rng: &mut Rng, menu: &[T]) -> T {
    menu[rng.below(menu.len() as u64) as usize]
}

/// Between `least` and `most` milliseconds.
pub(crate) fn between(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_micros(least * 1000 + rng.below((most - least) * 1000 + 1))
}
