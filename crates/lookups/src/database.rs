//! PostgreSQL: one statement that reads, prepared, with what is given as its parameters.

use crate::answer;
use crate::database_connection::{Driver, connect};
use crate::outside::Outside;
use crate::read_secret;
use bytes::BytesMut;
use ivr::{ANSWER_MAX, Answer, LookUp, Sql};
use serde_json::Value;
use std::error::Error as StdError;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, Error, Statement};

/// Connections of one look-up. Questions wait for one as long as their deadline allows.
const CONNECTIONS: usize = 2;
/// What was given is no number, date or text of the kind that is compared with: then there is no such row.
const NO_SUCH_VALUE: [&str; 5] = ["22P02", "22003", "22007", "22008", "22021"];

/// The database closes the connection: it ends, or somebody has ended it.
const CLOSES: &str = "57P";

/// Why there is no row.
enum Failure {
    /// The connection is of no use any more.
    Broken,
    Told(String),
}

/// One database, with its connections.
pub(crate) struct Database {
    idle: Mutex<Vec<Session>>,
    slots: Semaphore,
}

/// A connection on which the statement is prepared.
struct Session {
    client: Client,
    statement: Statement,
    _driver: Driver,
}

impl Default for Database {
    fn default() -> Database {
        Database { idle: Mutex::default(), slots: Semaphore::new(CONNECTIONS) }
    }
}

impl Database {
    pub(crate) async fn ask(
        &self,
        outside: &Outside,
        (look_up, sql, folder): (&LookUp, &Sql, &Path),
        with: &[String],
    ) -> Result<Answer, String> {
        let _slot = self.slots.acquire().await.map_err(|error| error.to_string())?;
        let mut row = Err(Failure::Broken);
        if let Some(session) = self.take() {
            row = self.row(session, with).await;
        }
        // One that was closed while nobody asked is no failure.
        if matches!(row, Err(Failure::Broken)) {
            row = self.row(Session::open(outside, (look_up, sql, folder)).await?, with).await;
        }
        match row {
            Ok(Some(row)) => of_row(look_up, &row),
            Ok(None) => Ok(Answer::Missing),
            Err(Failure::Broken) => Err("the database broke off".to_owned()),
            Err(Failure::Told(why)) => Err(why),
        }
    }

    async fn row(&self, session: Session, with: &[String]) -> Result<Option<String>, Failure> {
        let row = session.row(with).await;
        // Whoever has told of a fault may be asked again.
        if !matches!(row, Err(Failure::Broken)) && !session.client.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
        row
    }

    fn take(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|session| !session.client.is_closed());
        idle.pop()
    }
}

fn of_row(look_up: &LookUp, row: &str) -> Result<Answer, String> {
    if row.len() >= ANSWER_MAX {
        return Err(format!("the row is larger than {} kB", ANSWER_MAX / 1024));
    }
    let row: Value = serde_json::from_str(row).map_err(|_| "the row is none")?;
    match look_up.gives.values().find(|column| row.get(column.as_str()).is_none()) {
        Some(column) => Err(format!("the statement gives no `{column}`")),
        None => Ok(answer::of_row(look_up, |column| answer::text(row.get(column)?))),
    }
}

impl Session {
    async fn open(
        outside: &Outside,
        (look_up, sql, folder): (&LookUp, &Sql, &Path),
    ) -> Result<Session, String> {
        let (secret, folder) = (sql.connection.clone(), folder.to_owned());
        let address = tokio::task::spawn_blocking(move || read_secret(&secret, &folder)).await;
        let address = address.map_err(|error| error.to_string())?;
        let address = address.map_err(|(what, what_to_do)| format!("{what}; {what_to_do}"))?;
        // What the parser found fault with might be the password.
        let config: Config = address.parse().map_err(|_| "`connection` is no address of a database")?;
        let (client, driver) = connect(outside, &config).await?;
        let settings = format!(
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET statement_timeout = {}",
            look_up.deadline.as_millis().max(1)
        );
        client.batch_execute(&settings).await.map_err(|error| told(&error))?;
        let statement = client.prepare(&as_json(&sql.statement)).await.map_err(|error| told(&error))?;
        if statement.params().len() != look_up.takes.len() {
            return Err(format!(
                "the statement uses {} values, not those of `takes`",
                statement.params().len()
            ));
        }
        Ok(Session { client, statement, _driver: driver })
    }

    /// The first row as JSON.
    async fn row(&self, with: &[String]) -> Result<Option<String>, Failure> {
        let given: Vec<Given<'_>> = with.iter().map(|value| Given(value)).collect();
        let given: Vec<&(dyn ToSql + Sync)> =
            given.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let error = match self.client.query_opt(&self.statement, &given).await {
            Ok(Some(row)) => {
                return row.try_get(0).map(Some).map_err(|_| Failure::Told("the row is no text".to_owned()));
            }
            Ok(None) => return Ok(None),
            Err(error) => error,
        };
        match error.code().map(|code| code.code()) {
            None => Err(Failure::Broken),
            Some(code) if code.starts_with(CLOSES) => Err(Failure::Broken),
            Some(code) if NO_SUCH_VALUE.contains(&code) => Ok(None),
            // Its message might hold what is given.
            Some(code) => Err(Failure::Told(format!("the database answers {code}"))),
        }
    }
}

/// The first row of a statement as an object of texts, whatever its types, so that no digit of a number is lost; and
/// no more of it than may be read.
fn as_json(statement: &str) -> String {
    let statement = statement.trim_end().trim_end_matches(';');
    let texts = "SELECT json_object_agg(key, value) FROM json_each_text(row_to_json(found))";
    format!("SELECT left(({texts})::text, {ANSWER_MAX}) FROM (\n{statement}\n) AS found LIMIT 1")
}

/// What is wrong before anything was given: no caller's values are in it.
pub(crate) fn told(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("the database answers {}: {}", said.code().code(), said.message()),
        None => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

/// A value as it was given: the database reads it as whatever it is compared with.
#[derive(Debug)]
struct Given<'a>(&'a str);

impl ToSql for Given<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
