//! While the interpreter has the call.

use super::ending::Phase;
use super::{Call, Playing, Stage};
use crate::context::Context;
use crate::destinations::is_number;
use crate::memories;
use crate::{Asker, Question};
use facts::{
    CallPhase, Cause, End, FactKind, LegRole, PlayedPrompt, ScriptStarted, Side, SurveyAnswer, WrongKey,
    millis,
};
use ivr::{Answer, Closed, Entry, Input, Interpreter, MessageEnd, Output, Script, Trace, is_service};
use media_api::{Command, MessageLimits, Sound};
use sip::ua::How;
use std::sync::Arc;
use std::time::Duration;

impl Call {
    pub(super) fn start_script(&mut self, ctx: &mut Context, script: Arc<Script>, language: Option<String>) {
        let spoken = self.language.take().filter(|brought| script.languages().any(|known| known == brought));
        let entry = Entry {
            written: ctx.config.numbering.written_in(&script, &self.answers_at).to_owned(),
            dialled: self.answers_at.clone(),
            caller: self.from.clone(),
            trust: self.trust.for_scripts(),
            language: spoken.or(language),
            brought: std::mem::take(&mut self.brought),
            remembered: self.remembered(ctx, &script),
        };
        let (name, version) = (script.name().to_owned(), script.version().to_owned());
        self.note(ctx, FactKind::IvrStarted(ScriptStarted { script: name, version }));
        let mut interpreter = Interpreter::new(script, entry);
        if let Some(closed) =
            ctx.emergencies.of(&self.answers_at, self.service.name(), self.log.body.as_deref())
        {
            let rule = format!("emergency close by {}: {}", closed.by, closed.reason);
            interpreter.close(Closed { rule, message: closed.message.clone() });
        }
        self.script = Some(interpreter);
        self.script_follows = false;
        self.stage = Stage::Scripted;
        self.phases.enter(ctx.now, Phase::Ivr);
        self.script_input(ctx, Input::Start);
    }

    /// Tells the interpreter something and does what it asks for.
    pub(super) fn script_input(&mut self, ctx: &mut Context, input: Input) {
        let Some(script) = self.script.as_mut() else { return };
        script.handle(ctx.now, ctx.wall(), input);
        self.do_as_scripted(ctx);
    }

    /// A queue or a transfer gave the call back.
    pub(super) fn back_to_script(&mut self, ctx: &mut Context, input: Input) {
        if self.script.is_none() {
            let end = End::new(Side::Callee, Cause::TransferFailed).place(self.place());
            return self.finish(ctx, end);
        }
        self.stop_playing(ctx);
        self.script_follows = false;
        self.stage = Stage::Scripted;
        self.phases.enter(ctx.now, Phase::Ivr);
        self.script_input(ctx, input);
    }

    /// Whether the script goes on when this leg's party has hung up: it is the agent's, and the caller is still there.
    pub(super) fn script_goes_on(&self, number: u32, how: How) -> bool {
        let talks = matches!(self.stage, Stage::Talking { other } if other == number);
        let find = |number| self.legs.iter().find(|leg| leg.number == number);
        let is_agents = find(number).is_some_and(|leg| leg.agent.is_some());
        let is_callers = find(self.caller).is_some_and(|leg| leg.role == LegRole::Caller && leg.connected);
        self.script_follows && how == How::PeerHungUp && talks && is_agents && is_callers
    }

    /// The conversation with the agent, who is about to be out of the call, is over for all who were in it.
    pub(super) fn leave_talk(&mut self, ctx: &mut Context) {
        self.warming = None;
        self.part(ctx);
        self.hand_on_conference(ctx);
        self.part_from_guests(ctx);
    }

    pub(super) fn script_timeout(&mut self, ctx: &mut Context) {
        if !matches!(self.stage, Stage::Scripted) {
            return;
        }
        let Some(script) = self.script.as_mut() else { return };
        if script.poll_timeout().is_some_and(|(at, _)| at <= ctx.now) {
            script.handle_timeout(ctx.now, ctx.wall());
            self.do_as_scripted(ctx);
        }
    }

    fn do_as_scripted(&mut self, ctx: &mut Context) {
        while let Some(output) = self.script.as_mut().and_then(Interpreter::poll_output) {
            if self.end.is_some() {
                return;
            }
            match output {
                Output::Play { sounds } => self.play_prompts(ctx, sounds),
                Output::Stop => self.stop_playing(ctx),
                Output::Queue(mut wait) => {
                    wait.queue = self.log.name_of(&wait.queue);
                    if let Some(wanted) = &mut wait.interpreter {
                        wanted.queue = self.log.name_of(&wanted.queue);
                    }
                    self.enqueue(ctx, wait);
                }
                Output::Transfer { to, .. } if is_service(&to) => self.send_on(ctx, to),
                Output::Transfer { to, ring } => self.transfer(ctx, to, ring),
                Output::TransferToAgent { agent, ring } => self.transfer_to_agent(ctx, agent, ring),
                Output::LookUp { serial, look_up, with } => {
                    let asker = Asker { call: self.key, serial };
                    ctx.out.push_back(crate::Output::LookUp(Question { asker, look_up, with }));
                }
                Output::CallBack(mut wish) => {
                    wish.queue = self.log.name_of(&wish.queue);
                    let accepted = self.wants_callback(ctx, wish);
                    self.script_input(ctx, Input::CalledBack { accepted });
                }
                Output::Message { mailbox, longest, silence } => {
                    let mailbox = self.log.name_of(&mailbox);
                    if self.take_message(ctx, mailbox, MessageLimits { silence, longest }).is_err() {
                        self.script_input(ctx, Input::MessageEnded(MessageEnd::Failed));
                    }
                }
                Output::Remember { language, length } => self.is_remembered(ctx, language, length),
                Output::Forget => self.is_forgotten(ctx),
                Output::HangUp { reason } => {
                    self.finish(ctx, End::new(Side::Service, Cause::ScriptEnded).place(reason));
                }
                Output::Trace(trace) => self.note_trace(ctx, trace),
            }
        }
    }

    /// The language that is remembered of the caller.
    fn remembered(&self, ctx: &Context, script: &Script) -> Option<String> {
        let whose = self.may_be_remembered().filter(|_| script.remembers())?;
        ctx.memories.language(whose, script.name(), ctx.wall()).map(str::to_owned)
    }

    /// The caller's number, if it is one against which nothing speaks. That is no proof: who forges a number well hears what its
    /// owner speaks, and may change it.
    fn may_be_remembered(&self) -> Option<&str> {
        self.may_be_forgotten().filter(|_| !self.trust.is_doubtful())
    }

    /// Whoever says no is forgotten, whatever speaks against the number.
    fn may_be_forgotten(&self) -> Option<&str> {
        (!self.by_account && is_number(&self.from)).then_some(self.from.as_str())
    }

    fn is_remembered(&mut self, ctx: &mut Context, language: String, length: Option<Duration>) {
        let Some(number) = self.may_be_remembered().map(str::to_owned) else { return };
        let script = self.script_name();
        if let Some(fact) = memories::remember(ctx, (&number, &script), language, length) {
            self.note(ctx, fact);
        }
    }

    fn is_forgotten(&mut self, ctx: &mut Context) {
        let Some(number) = self.may_be_forgotten().map(str::to_owned) else { return };
        let script = self.script_name();
        if let Some(fact) = memories::forget(ctx, &number, &script) {
            self.note(ctx, fact);
        }
    }

    fn script_name(&self) -> String {
        self.script.as_ref().map_or(String::new(), |script| script.script().name().to_owned())
    }

    /// What came of a look-up. An answer to a question that the script no longer asks is passed over.
    pub(crate) fn looked_up(&mut self, ctx: &mut Context, serial: u32, answer: Answer) {
        if matches!(self.stage, Stage::Scripted) {
            self.script_input(ctx, Input::LookedUp { serial, answer });
        }
    }

    fn play_prompts(&mut self, ctx: &mut Context, sounds: Vec<Sound>) {
        let Some(media) = self.caller_media() else { return };
        let play = ctx.play(media, sounds, false);
        self.playing = Some((play, Playing::Script));
    }

    pub(super) fn stop_playing(&mut self, ctx: &mut Context) {
        if self.playing.take().is_some()
            && let Some(leg) = self.caller_media()
        {
            ctx.media(Command::Stop { leg });
        }
    }

    /// No source of a prompt could be read; what follows was played all the same.
    pub(crate) fn sound_missing(&mut self, ctx: &mut Context, sound: &str) {
        self.note(ctx, FactKind::IvrPromptMissing { prompt: ivr::shown(sound).to_owned() });
    }

    fn note_trace(&mut self, ctx: &mut Context, trace: Trace) {
        let kind = match trace {
            Trace::Entered { node } => {
                self.phase = CallPhase::Ivr { node: node.clone() };
                let language = self.script.as_ref().map_or("", Interpreter::language).to_owned();
                FactKind::IvrEntered { script: self.service.name().to_owned(), node, language }
            }
            Trace::PromptStarted { node, prompts } => {
                let prompts = prompts.into_iter().map(|prompt| PlayedPrompt { prompt }).collect();
                FactKind::IvrPromptStarted { node, prompts }
            }
            Trace::PromptEnded { node, complete } => FactKind::IvrPromptEnded { node, complete },
            Trace::Chosen { node, key, choice } => FactKind::IvrInput { node, key: key.to_string(), choice },
            Trace::Collected { node, digits } => FactKind::IvrCollected { node, digits },
            Trace::Surveyed { node, question, answer } => {
                FactKind::SurveyAnswered(SurveyAnswer { node, question, answer: answer.to_string() })
            }
            Trace::LookedUp { node, look_up, outcome, waited } => FactKind::LookupAnswered {
                node,
                lookup: look_up,
                outcome: outcome.to_owned(),
                waited_ms: millis(waited),
            },
            Trace::NoInput { node, attempt } => FactKind::IvrNoInput { node, attempt },
            Trace::NoMatch { node, key, attempt } => {
                FactKind::IvrNoMatch(WrongKey { node, key: key.to_string(), attempt })
            }
            Trace::Set { key, value } => return self.classify(ctx, &key, &value, "ivr"),
            Trace::Hours { calendar, open, rule } => FactKind::CalendarDecided { calendar, open, rule },
            Trace::Left { node, to } => FactKind::IvrLeft { node, to: to.to_owned() },
        };
        self.note(ctx, kind);
    }
}
