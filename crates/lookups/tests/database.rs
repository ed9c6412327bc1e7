//! A real PostgreSQL, where there is one: what it says, and what it does when it is slow, locked or gone.
// A database that cannot be started fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use ivr::{Answer, LookUp};
use net::{Tls, TlsFiles};
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Asking, found, look_up};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// PostgreSQL does not run as root; this is `nobody`.
const SOMEBODY: u32 = 65534;
const TABLES: &str = "CREATE TABLE clients (number varchar PRIMARY KEY, code integer, name text, debt numeric, since date);\
                      INSERT INTO clients VALUES ('39061', 1, 'Ada', 12.50, '2026-11-23'), ('39062', 2, 'Bea', NULL, NULL);\
                      CREATE TABLE seen (number text);\
                      CREATE FUNCTION note(text) RETURNS text AS 'INSERT INTO seen VALUES ($1) RETURNING number' LANGUAGE sql;";

struct Postgres {
    server: Child,
    port: u16,
    folder: TempDir,
    client: Client,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.server.id().cast_signed()).unwrap();
        // At once, but so that it leaves nothing behind.
        let _ = kill_process(id, Signal::INT);
        let _ = self.server.wait();
    }
}

/// The folder of its programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .find(|bin| bin.join("initdb").is_file())
}

impl Postgres {
    /// Nothing, with a word why, where it is not installed.
    async fn start() -> Option<Postgres> {
        let Some(bin) = programs() else {
            println!("skipped: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let is_root = rustix::process::geteuid().is_root();
        certificate(folder.path());
        if is_root {
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                chown(entry.unwrap().path(), Some(SOMEBODY), Some(SOMEBODY)).unwrap();
            }
            chown(folder.path(), Some(SOMEBODY), Some(SOMEBODY)).unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (data, log) = (path("data"), std::fs::File::create(path("log")).unwrap());
        let program = |name: &str| {
            let mut command = if is_root { Command::new("setpriv") } else { Command::new(bin.join(name)) };
            if is_root {
                command.args([
                    &format!("--reuid={SOMEBODY}"),
                    &format!("--regid={SOMEBODY}"),
                    "--clear-groups",
                ]);
                command.arg(bin.join(name));
            }
            command.current_dir(folder.path()).stdin(Stdio::null());
            command.stdout(log.try_clone().unwrap()).stderr(log.try_clone().unwrap());
            command
        };
        let made = program("initdb")
            .args([
                "-D",
                &data,
                "-U",
                "desk",
                "--auth=scram-sha-256",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
            ])
            .arg(format!("--pwfile={}", path("password")))
            .status()
            .unwrap();
        assert!(made.success(), "{}", std::fs::read_to_string(path("log")).unwrap());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = program("postgres")
            .args([
                "-D",
                &data,
                "-k",
                &path(""),
                "-p",
                &port.to_string(),
                "-h",
                "127.0.0.1",
                "-F",
                "-c",
                "ssl=on",
            ])
            .args(["-c", &format!("ssl_cert_file={}", path("server.pem"))])
            .args(["-c", &format!("ssl_key_file={}", path("server.key"))])
            .spawn()
            .unwrap();
        let client = reached(port).await;
        client.batch_execute(TABLES).await.unwrap();
        Some(Postgres { server, port, folder, client })
    }

    fn address(&self, mode: &str) -> String {
        format!("postgres://desk:secret@127.0.0.1:{}/postgres?sslmode={mode}", self.port)
    }

    fn look_up(&self, mode: &str, gives: &str, statement: &str) -> Arc<LookUp> {
        look_up(&format!(
            "takes = [\"number\"]\ngives = {gives}\ndeadline = \"2s\"\n[sql]\nconnection = \"{}\"\n\
             statement = \"{statement}\"\n",
            self.address(mode)
        ))
    }
}

/// A certificate of 127.0.0.1 that is its own authority, and a password.
fn certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("server.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("server.key"), made.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(folder.join("server.key"), PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(folder.join("password"), "secret\n").unwrap();
}

async fn reached(port: u16) -> Client {
    let address = format!("postgres://desk:secret@127.0.0.1:{port}/postgres?sslmode=disable");
    let began = Instant::now();
    loop {
        match tokio_postgres::connect(&address, NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return client;
            }
            Err(error) => assert!(began.elapsed() < Duration::from_secs(30), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_statement_reads_becomes_known_and_it_can_write_nothing() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut asking = Asking::start();
    let by_number = "select name, debt, since, code from clients where number = $1 order by code;";
    let clients = postgres.look_up("disable", "[\"name\", \"debt\", \"since\", \"code\"]", by_number);
    let ada = [("name", "Ada"), ("debt", "12.50"), ("since", "2026-11-23"), ("code", "1")];
    assert_eq!(asking.ask(&clients, &["39061"]).await, found(ada));
    assert_eq!(asking.ask(&clients, &["39062"]).await, found([("name", "Bea"), ("code", "2")]));
    for nobody in ["39063", "", "' or true --", "a\0b", "è"] {
        assert_eq!(asking.ask(&clients, &[nobody]).await, Answer::Missing, "{nobody:?}");
    }
    let by_code = postgres.look_up("disable", "[\"name\"]", "select name from clients where code = $1");
    assert_eq!(asking.ask(&by_code, &["2"]).await, found([("name", "Bea")]));
    // Whatever callers type opens no breaker.
    for nonsense in ["two", "", "99999999999", "1;", "2 ", "-0", "1.5", "x", "y", "z"] {
        let answer = asking.ask(&by_code, &[nonsense]).await;
        assert_ne!(answer, Answer::Failed, "{nonsense:?}");
    }
    let note = postgres.look_up("disable", "[\"number\"]", "select note($1) as number");
    assert_eq!(asking.ask(&note, &["1"]).await, Answer::Failed);
    assert!(postgres.client.query("SELECT * FROM seen", &[]).await.unwrap().is_empty());
    for wrong in [
        "select nothing from clients where number = $1",
        "select name as other from clients where number = $1",
    ] {
        assert_eq!(
            asking.ask(&postgres.look_up("disable", "[\"name\"]", wrong), &["39061"]).await,
            Answer::Failed
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_statement_ends_with_its_deadline_and_a_lost_connection_is_made_anew() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut asking = Asking::start();
    let slow = postgres.look_up("disable", "[\"name\"]", "select pg_sleep(60)::text as name where $1 <> ''");
    let began = Instant::now();
    assert_eq!(asking.ask(&slow, &["1"]).await, Answer::Failed);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let sleeping = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%(60)%' AND pid <> pg_backend_pid()";
    while !postgres.client.query(sleeping, &[]).await.unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "the database still works for nobody");
    }
    let clients = postgres.look_up("disable", "[\"name\"]", "select name from clients where number = $1");
    let ada = || found([("name", "Ada")]);
    assert_eq!(asking.ask(&clients, &["39061"]).await, ada());
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    postgres.client.query(end, &[]).await.unwrap();
    assert_eq!(asking.ask(&clients, &["39061"]).await, ada());
    let huge =
        postgres.look_up("disable", "[\"name\"]", "select repeat('x', 50000000) as name where $1 <> ''");
    assert_eq!(asking.ask(&huge, &["1"]).await, Answer::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_with_those_who_are_trusted_and_with_nobody_else() {
    let Some(postgres) = Postgres::start().await else { return };
    let clients = |mode| postgres.look_up(mode, "[\"name\"]", "select name from clients where number = $1");
    for mode in ["prefer", "require"] {
        assert_eq!(Asking::start().ask(&clients(mode), &["39061"]).await, Answer::Failed, "{mode}");
        let ca = vec![postgres.folder.path().join("server.pem")];
        let trusting = Tls::read(&TlsFiles { ca, ..TlsFiles::default() }).unwrap();
        let answer = Asking::with(trusting).ask(&clients(mode), &["39061"]).await;
        assert_eq!(answer, found([("name", "Ada")]), "{mode}");
    }
    let wrong = clients("disable");
    let mut wrong = (*wrong).clone();
    wrong.source = ivr::Source::Sql(ivr::Sql {
        connection: ivr::Secret::Plain(postgres.address("disable").replace("secret", "guess")),
        statement: "select name from clients where number = $1".to_owned(),
    });
    assert_eq!(Asking::start().ask(&Arc::new(wrong), &["39061"]).await, Answer::Failed);
}
