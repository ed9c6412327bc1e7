//! Where a fact says something about a person. One table for the envelope's classification and for masking.

use super::mask::{mask_contact, mask_party, mask_text};
use facts::{CallbackOffer, CallbackRequest, CallerForgotten, CallerRemembered, FactKind};

/// What a kind says about people.
pub(crate) enum Personal<'a> {
    /// Nothing.
    Nothing,
    /// Something that everyone who may read events may read: an agent's name, a choice, a network address.
    Plain,
    /// Something that only `pii:clear` may see whole.
    Masked(&'a mut String, fn(&str) -> String),
}

/// What this kind says about people. Without a wildcard, so that whoever adds a kind decides: a table, which a line for each
/// kind would make too long to be seen at once.
#[rustfmt::skip]
pub(crate) fn personal(kind: &mut FactKind) -> Personal<'_> {
    match kind {
        FactKind::CallArrived { from, .. } => Personal::Masked(from, mask_party),
        FactKind::CallDiverted { by, .. } => Personal::Masked(by, mask_party),
        FactKind::CallUserData(sent) => Personal::Masked(&mut sent.data, |_| "***".to_owned()),
        FactKind::TextSent { from, .. } => Personal::Masked(from, mask_party),
        FactKind::OutboundRefused { to, .. }
        | FactKind::OutboundAllowed { to, .. }
        | FactKind::CallCongested { to, .. } => Personal::Masked(to, mask_party),
        FactKind::CallbackRequested(CallbackRequest { number, .. }) | FactKind::CallbackOffered(CallbackOffer { number, .. }) => {
            Personal::Masked(number, mask_party)
        }
        FactKind::CallerRemembered(CallerRemembered { number, .. }) | FactKind::CallerForgotten(CallerForgotten { number, .. }) => {
            Personal::Masked(number, mask_party)
        }
        FactKind::LegCreated { address, .. } => Personal::Masked(address, mask_party),
        FactKind::TransferStarted { to, .. }
        | FactKind::TransferConsulting { to, .. }
        | FactKind::TransferCancelled { to }
        | FactKind::TransferReferred { to, .. }
        | FactKind::TransferKept { to, .. }
        | FactKind::TransferCompleted { to }
        | FactKind::TransferFailed { to, .. } => Personal::Masked(to, mask_party),
        FactKind::EndpointRegistered { contact, .. } => Personal::Masked(contact, mask_contact),
        FactKind::CallEnded { end, .. } | FactKind::LegEnded { end, .. } => {
            Personal::Masked(&mut end.detail, mask_text)
        }
        FactKind::EndpointUnregistered { .. } | FactKind::CallClassified { .. }
        | FactKind::CallOrigin { .. } | FactKind::CallTrustAssessed(_) | FactKind::MediaSilent { .. }
        | FactKind::MediaUnauthenticated { .. } | FactKind::MediaHandshakeFailed { .. }
        | FactKind::MediaPathFound { .. } | FactKind::MediaPathLost { .. }
        | FactKind::DtmfReceived { .. } | FactKind::IvrInput { .. } | FactKind::IvrNoMatch(_)
        | FactKind::IvrCollected { .. } | FactKind::SurveyAnswered(_)
        | FactKind::CallbackAttempted(_) | FactKind::CallbackPostponed(_) | FactKind::CallbackCompleted(_)
        | FactKind::CallbackFailed(_) | FactKind::CallbackCancelled { .. }
        | FactKind::OfferMade { .. } | FactKind::OfferAccepted { .. } | FactKind::OfferEnded { .. }
        | FactKind::AgentState { .. } | FactKind::CaptureStarted { .. } | FactKind::SecurityBlocked { .. }
        // Who listened to whom is what such facts are for: agents go by their names, and callers are not named.
        | FactKind::SupervisionStarted { .. } | FactKind::SupervisionModeChanged { .. } | FactKind::SupervisionEnded { .. }
        | FactKind::RecordingStarted { .. } | FactKind::RecordingPaused { .. } | FactKind::RecordingResumed { .. }
        | FactKind::RecordingStopped { .. } | FactKind::RecordingFailed { .. }
        | FactKind::OutboundSettled { .. } | FactKind::SecurityBanned(_) | FactKind::SecurityUnbanned { .. }
        | FactKind::EmergencyClosed(_) | FactKind::EmergencyOpened { .. } => Personal::Plain,
        FactKind::SystemStarted { .. } | FactKind::SystemStopping { .. } | FactKind::ConfigActivated { .. }
        | FactKind::ConfigRejected { .. } | FactKind::TrunkUp { .. } | FactKind::TrunkDown { .. }
        | FactKind::TrunkDegraded { .. } | FactKind::TrunkRemoved { .. }
        | FactKind::TrunkRegistrationFailed { .. } | FactKind::LegRerouted { .. }
        | FactKind::LegRouted { .. } | FactKind::LegRinging { .. } | FactKind::LegEarlyMedia { .. }
        | FactKind::LegLost { .. } | FactKind::LegTakenBack { .. }
        | FactKind::LegRefreshFailed { .. } | FactKind::LegConnected { .. } | FactKind::LegCodec { .. }
        | FactKind::CallTranscoded { .. } | FactKind::LegHeld { .. }
        | FactKind::ConferenceJoined { .. } | FactKind::ConferenceLeft { .. } | FactKind::ConferenceMuted { .. }
        | FactKind::LegResumed { .. } | FactKind::CallConnected { .. } | FactKind::LegQuality { .. }
        | FactKind::LegQualitySampled { .. } | FactKind::LegProgressHeard { .. } | FactKind::MediaRestored { .. } | FactKind::MediaSecured { .. } | FactKind::IvrStarted(_) | FactKind::IvrEntered { .. } | FactKind::IvrPromptStarted { .. }
        | FactKind::IvrPromptEnded { .. } | FactKind::IvrPromptMissing { .. } | FactKind::IvrNoInput { .. }
        | FactKind::LookupAnswered { .. } | FactKind::CalendarDecided { .. } | FactKind::IvrLeft { .. } | FactKind::QueueEntered { .. }
        | FactKind::QueuePosition { .. } | FactKind::QueueOverflowed { .. } | FactKind::QueueRefused { .. }
        | FactKind::QueueWidened(_) | FactKind::InterpreterWanted(_) | FactKind::InterpreterMissed(_)
        | FactKind::QueueLeft { .. } => Personal::Nothing,
    }
}
