use crate::worker::{Act, Order, Worker};
use crate::{Call, PhoneConfig, PhoneError};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Orders that may wait for the worker.
const ORDERS: usize = 64;
/// Incoming calls that may wait for [`Phone::incoming`]; one more is told that we are busy.
const INCOMING: usize = 8;
/// How long a registrar may take, with its challenge and all retransmissions (RFC 3261 §17.1.2.2, timer F).
const REGISTER_MAX: Duration = Duration::from_secs(40);
/// How long hanging up and unregistering may take at the end.
const CLOSE_MAX: Duration = Duration::from_secs(3);

/// One person's telephone. Dropping it, with all of its calls, hangs up and unregisters.
#[derive(Debug)]
pub struct Phone {
    orders: mpsc::Sender<Order>,
    incoming: Mutex<mpsc::Receiver<IncomingCall>>,
    address: SocketAddr,
    uri: String,
}

/// A call that rings here. It rings until it is answered or rejected, or until the caller gives up.
#[derive(Debug)]
pub struct IncomingCall {
    /// The caller's number or name; `anonymous` if it is withheld.
    pub from: String,
    /// The caller's display name.
    pub from_display: Option<String>,
    /// What the caller dialled.
    pub dialled: String,
    pub(crate) call: Call,
}

impl Phone {
    /// Binds the phone's sockets and starts its worker, in a tokio runtime with time and I/O.
    ///
    /// # Errors
    /// A socket cannot be had.
    pub fn start(config: PhoneConfig) -> Result<Phone, PhoneError> {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let (calls_in, incoming) = mpsc::channel(INCOMING);
        let user = config.user.clone();
        let worker = Worker::new(config, orders.downgrade(), inbox, calls_in)?;
        let address = worker.address();
        tokio::spawn(worker.run());
        let uri = format!("sip:{user}@{address}");
        Ok(Phone { orders, incoming: Mutex::new(incoming), address, uri })
    }

    /// The SIP address of the phone.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What another phone without a server dials to call this one.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Registers with the server and stays registered.
    ///
    /// # Errors
    /// The registrar refused or is away. The phone goes on trying.
    pub async fn register(&self) -> Result<(), PhoneError> {
        self.asked(REGISTER_MAX, "answer of the registrar", |reply| Order::Register { reply }).await
    }

    /// Calls a number, or a whole SIP URI. Gives the call at once; [`Call::wait_answered`] waits for the callee.
    ///
    /// # Errors
    /// No way to call it, or no room for one more call.
    pub async fn call(&self, dial: &str) -> Result<Call, PhoneError> {
        let dial = dial.to_owned();
        self.asked(CLOSE_MAX, "answer of the phone itself", |reply| Order::Dial { dial, reply }).await
    }

    /// The next call that rings here.
    ///
    /// # Errors
    /// None came in time.
    pub async fn incoming(&self, within: Duration) -> Result<IncomingCall, PhoneError> {
        let next = async { self.incoming.lock().await.recv().await };
        match tokio::time::timeout(within, next).await {
            Ok(Some(call)) => Ok(call),
            Ok(None) => Err(PhoneError::Closed),
            Err(_) => Err(PhoneError::TimedOut { what: "incoming call".to_owned(), within }),
        }
    }

    /// Hangs up every call, unregisters and gives the sockets back.
    pub async fn close(self) {
        // Closed already is as good.
        let _ = self.asked(CLOSE_MAX, "end of the phone", |reply| Order::Close { reply }).await;
    }

    async fn asked<T>(
        &self,
        within: Duration,
        what: &str,
        order: impl FnOnce(oneshot::Sender<Result<T, PhoneError>>) -> Order,
    ) -> Result<T, PhoneError> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).await.map_err(|_| PhoneError::Closed)?;
        match tokio::time::timeout(within, answer).await {
            Ok(answer) => answer.map_err(|_| PhoneError::Closed)?,
            Err(_) => Err(PhoneError::TimedOut { what: what.to_owned(), within }),
        }
    }
}

impl IncomingCall {
    /// Answers.
    ///
    /// # Errors
    /// The caller has given up, or offers nothing that we can speak.
    pub async fn answer(self) -> Result<Call, PhoneError> {
        self.call.asked(|reply| Act::Answer { reply }).await?;
        Ok(self.call)
    }

    /// Refuses with this status, such as 486 (busy) or 603 (declined).
    ///
    /// # Errors
    /// The phone is closed.
    pub async fn reject(self, status: u16) -> Result<(), PhoneError> {
        self.call.act(Act::Reject { status }).await
    }

    /// The call, to be watched while it rings.
    pub fn call(&self) -> &Call {
        &self.call
    }
}
