//! Filters are replaced while requests run: each request is answered, by the version before or after. One that fails lets
//! nothing pass. The program follows its folder.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use polyplug::Runtime;
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use tokio::net::{TcpListener, TcpStream};

const RELOADS: u64 = 200;
const CLIENTS: usize = 4;

/// A copy of the filters, of which other versions are written.
struct Filters(tempfile::TempDir);

impl Filters {
    fn new() -> Self {
        let filters = Self(tempfile::tempdir().unwrap());
        for (name, main) in FILTERS {
            std::fs::create_dir(filters.0.path().join(name)).unwrap();
            for file in ["manifest.toml", main] {
                std::fs::copy(source().join(name).join(file), filters.0.path().join(name).join(file)).unwrap();
            }
        }
        filters
    }

    /// Writes another version of a filter, which says its number.
    fn write(&self, (name, main): (&str, &str), version: u64) {
        let text = std::fs::read_to_string(source().join(name).join(main)).unwrap();
        let changed = text.replace("version 1", &format!("version {version}"));
        let changed = changed.replace("stamp 1", &format!("stamp {version}"));
        assert!(version == 1 || changed != text, "{text}");
        let folder = self.0.path().join(name);
        std::fs::write(folder.join("new.tmp"), changed).unwrap();
        std::fs::rename(folder.join("new.tmp"), folder.join(main)).unwrap();
    }
}

const GUARD: (&str, &str) = ("guard", "main.lua");
const STAMP: (&str, &str) = ("stamp", "main.js");
const FILTERS: [(&str, &str); 2] = [GUARD, STAMP];

fn source() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/filters"))
}

/// A runtime with all filters.
fn runtime(filters: &Filters) -> Arc<Runtime> {
    let loaders = Runtime::builder().loader(LuaLoader::new()).loader(JsLoader::new());
    let runtime = loaders.hot_reload(true).build().unwrap();
    let report = runtime.load_dir(filters.0.path());
    assert_eq!((report.loaded.len(), report.problems.len()), (FILTERS.len(), 0), "{report}");
    runtime
}

/// Serves at a free port, as long as the test's executor runs. Returns the address.
async fn serve(runtime: &Arc<Runtime>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(axum::serve(listener, web_service::service(runtime.clone())).into_future());
    address
}

/// A connection on which one request follows another.
struct Client(SendRequest<Empty<Bytes>>);

#[derive(Debug, PartialEq)]
struct Answer {
    status: StatusCode,
    filtered_by: Option<String>,
    body: String,
}

impl Client {
    async fn new(address: &str) -> Self {
        let (sender, connection) = handshake(TokioIo::new(TcpStream::connect(address).await.unwrap())).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn get(&mut self, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::get(path).header("host", "localhost");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.0.ready().await.unwrap();
        let answer = self.0.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        let filtered_by = answer.headers().get("x-filtered-by").map(|value| value.to_str().unwrap().to_owned());
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, filtered_by, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

/// The versions of a filter that may answer.
struct Versions {
    /// The version that serves, at least.
    served: AtomicU64,
    /// The last version that was written.
    written: AtomicU64,
}

impl Versions {
    fn new() -> Self {
        Self { served: AtomicU64::new(1), written: AtomicU64::new(1) }
    }

    #[track_caller]
    fn check(&self, answered: &str, prefix: &str, served_before: u64) {
        let version: u64 = answered.strip_prefix(prefix).and_then(|version| version.trim_end().parse().ok()).unwrap();
        let written = self.written.load(Ordering::SeqCst);
        assert!((served_before..=written).contains(&version), "{served_before} <= {version} <= {written}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_while_filters_are_replaced() {
    let filters = Arc::new(Filters::new());
    let runtime = runtime(&filters);
    let address = serve(&runtime).await;

    let (guard, stamp) = (Arc::new(Versions::new()), Arc::new(Versions::new()));
    let reloads = {
        let (filters, runtime, guard, stamp) = (filters.clone(), runtime.clone(), guard.clone(), stamp.clone());
        tokio::task::spawn_blocking(move || {
            for round in 0..RELOADS {
                let (filter, versions) = if round % 2 == 0 { (GUARD, &guard) } else { (STAMP, &stamp) };
                let version = round / 2 + 2;
                versions.written.store(version, Ordering::SeqCst);
                filters.write(filter, version);
                runtime.reload_bundle(filters.0.path().join(filter.0)).unwrap();
                versions.served.store(version, Ordering::SeqCst);
            }
        })
    };
    let reloads = Arc::new(Mutex::new(Some(reloads)));

    let clients = (0..CLIENTS).map(|_| {
        let (address, guard, stamp, reloads) = (address.clone(), guard.clone(), stamp.clone(), reloads.clone());
        tokio::spawn(async move {
            let mut client = Client::new(&address).await;
            let mut requests = 0_u64;
            while !reloads.lock().unwrap().as_ref().unwrap().is_finished() {
                let (guarded, stamped) = (guard.served.load(Ordering::SeqCst), stamp.served.load(Ordering::SeqCst));

                let answer = client.get("/", None).await;
                assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "Hello!\n"));
                stamp.check(&answer.filtered_by.unwrap(), "stamp ", stamped);

                let answer = client.get("/admin", Some("sesame")).await;
                assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "secrets\n"));
                stamp.check(&answer.filtered_by.unwrap(), "stamp ", stamped);

                let answer = client.get("/admin", Some("wrong")).await;
                assert_eq!((answer.status, answer.filtered_by), (StatusCode::FORBIDDEN, None));
                guard.check(&answer.body, "forbidden, says version ", guarded);
                requests += 3;
            }
            requests
        })
    });
    let mut requests = 0;
    for client in clients.collect::<Vec<_>>() {
        requests += client.await.unwrap();
    }
    let reloads = reloads.lock().unwrap().take().unwrap();
    reloads.await.unwrap();
    println!("{requests} requests during {RELOADS} reloads, all answered");

    // The last versions serve.
    let mut client = Client::new(&address).await;
    let last = RELOADS / 2 + 1;
    assert_eq!(client.get("/", None).await.filtered_by, Some(format!("stamp {last}")));
    assert_eq!(client.get("/admin", None).await.body, format!("forbidden, says version {last}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_while_filters_come_and_go() {
    let filters = Filters::new();
    let runtime = runtime(&filters);
    let address = serve(&runtime).await;
    let changes = tokio::task::spawn_blocking(move || {
        for _ in 0..50 {
            runtime.unload_bundle("stamp").unwrap();
            runtime.load_bundle(filters.0.path().join("stamp")).unwrap();
        }
    });
    let mut client = Client::new(&address).await;
    while !changes.is_finished() {
        let answer = client.get("/", None).await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "Hello!\n"));
        assert!(answer.filtered_by.is_none_or(|by| by == "stamp 1"));
    }
    changes.await.unwrap();
    assert_eq!(client.get("/", None).await.filtered_by.unwrap(), "stamp 1");
}

#[tokio::test]
async fn a_filter_that_fails_lets_nothing_pass() {
    let failed = |answer: Answer| {
        assert_eq!((answer.status, &*answer.body), (StatusCode::INTERNAL_SERVER_ERROR, "a filter failed\n"));
    };
    let filters = Filters::new();
    let runtime = runtime(&filters);
    let mut client = Client::new(&serve(&runtime).await).await;
    let stamp = filters.0.path().join("stamp/main.js");
    let working = std::fs::read_to_string(&stamp).unwrap();
    for broken in [
        "throw new Error('broken')",
        "return Verdict.Reject({ status: 200, reason: 'no error' })",
        "return Verdict.Reject({ status: 7, reason: 'no status' })",
        "return Verdict.AddHeaders([{ name: 'a b', value: '1' }])",
        "return Verdict.AddHeaders([{ name: 'a', value: '1\\n2' }])",
        "return 'Perhaps'",
    ] {
        std::fs::write(&stamp, working.replace("return ", &format!("{broken}; return "))).unwrap();
        runtime.reload_bundle(stamp.parent().unwrap()).unwrap();
        failed(client.get("/", None).await);
    }
    std::fs::write(&stamp, &working).unwrap();
    runtime.reload_bundle(stamp.parent().unwrap()).unwrap();
    assert_eq!(client.get("/", None).await.status, StatusCode::OK);
}

/// The program, which ends with the test.
struct Program(Child);

impl Program {
    fn start(arguments: &[&std::ffi::OsStr]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_web-service"));
        Self(command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_program_follows_its_folder() {
    let filters = Filters::new();
    let mut program = Program::start(&[filters.0.path().as_os_str(), "127.0.0.1:0".as_ref()]);
    let mut printed = BufReader::new(program.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = printed.find_map(|line| line.strip_prefix("listening at http://").map(str::to_owned)).unwrap();
    let mut client = Client::new(&address).await;
    assert_eq!(client.get("/", None).await.filtered_by.unwrap(), "stamp 1");
    filters.write(STAMP, 2);
    while client.get("/", None).await.filtered_by.unwrap() != "stamp 2" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.get("/admin", None).await.status, StatusCode::FORBIDDEN);
}

#[test]
fn the_program_does_not_start_without_a_filter() {
    let filters = Filters::new();
    std::fs::write(filters.0.path().join("guard/main.lua"), "broken(").unwrap();
    let mut program = Program::start(&[filters.0.path().as_os_str(), "127.0.0.1:0".as_ref()]);
    assert_eq!(program.0.wait().unwrap().code(), Some(1));
    let said = std::io::read_to_string(program.0.stderr.take().unwrap()).unwrap();
    assert!(said.contains("guard") && said.contains("main.lua:1"), "{said}");
}
