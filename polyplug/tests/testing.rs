//! What `polyplug::testing` does for the authors of plugins, and what it says when a test or a plugin is wrong.
#![cfg(feature = "host")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use polyplug::error::RuntimeError;
use polyplug::testing::{Calls, Host};
use polyplug::{LogLevel, PluginContext};

#[polyplug::contract(name = "testing.logger", version = "1.0")]
trait Logger {
    fn log(&self, text: &str);
}

#[polyplug::contract(name = "testing.doubler", version = "2.3")]
trait Doubler {
    fn double(&self, number: i64) -> i64;
    fn fail(&self);
}

#[polyplug::contract(name = "testing.calculator", version = "1.0")]
trait Calculator {
    fn add(&self, a: i64, b: i64) -> i64;
    fn quadruple(&self, number: i64) -> Result<i64, String>;
    fn settings(&self) -> String;
    fn fail_at_peer(&self) -> String;
}

/// Calls whatever there is to call.
struct Caller {
    context: PluginContext,
    logger: LoggerProxy,
}

impl Caller {
    fn new(context: &PluginContext) -> Result<Self, String> {
        if context.config_text().contains("refused") {
            return Err("settings: level: is refused".to_owned());
        }
        let logger = context.host::<dyn Logger>().map_err(|error| error.to_string())?;
        Ok(Self { context: context.clone(), logger })
    }

    fn doubler(&self) -> Result<DoublerProxy, String> {
        self.context.peer::<dyn Doubler>().map_err(|error| error.to_string())
    }
}

#[polyplug::plugin(create = Caller::new)]
impl Calculator for Caller {
    fn add(&self, a: i64, b: i64) -> i64 {
        self.context.log(LogLevel::Debug, "adds");
        self.logger.log(&format!("{a} + {b}")).expect("the fake is there");
        a + b
    }

    fn quadruple(&self, number: i64) -> Result<i64, String> {
        let doubler = self.doubler()?;
        let double = |number| doubler.double(number).map_err(|error| error.to_string());
        double(number).and_then(double)
    }

    fn settings(&self) -> String {
        self.context.config_text()
    }

    fn fail_at_peer(&self) -> String {
        self.doubler().and_then(|doubler| doubler.fail().map_err(|error| error.to_string())).unwrap_err()
    }
}

#[derive(Clone, Default)]
struct FakeLogger(Calls<String>);

impl Logger for FakeLogger {
    fn log(&self, text: &str) {
        self.0.push(text.to_owned());
    }
}

/// Doubles, and remembers what.
#[derive(Clone, Default)]
struct FakeDoubler(Calls<i64>);

impl Doubler for FakeDoubler {
    fn double(&self, number: i64) -> i64 {
        self.0.push(number);
        number * 2
    }

    fn fail(&self) {
        panic!("not today");
    }
}

const MANIFEST: &str = r#"
name = "caller"
version = "1.0.0"
loader = "native"
file = "never-built"

[[host]]
contract = "testing.logger@1"

[[dependency]]
contract = "testing.doubler@2.1"

[config]
level = 1
name = "from the manifest"
"#;

fn host() -> Host {
    Host::new().provide::<dyn Logger>(FakeLogger::default())
}

/// What a test is told that is wrong itself.
fn panics(test: impl FnOnce() -> Host) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(test()))).unwrap_err();
    *payload.downcast::<String>().expect("a formatted message")
}

fn refusal(host: &Host) -> RuntimeError {
    host.proxy::<dyn Calculator>().unwrap_err()
}

#[test]
fn three_lines_are_enough() -> Result<(), Box<dyn std::error::Error>> {
    let logger = FakeLogger::default();
    let host = Host::new().provide::<dyn Logger>(logger.clone());
    assert_eq!(host.proxy::<dyn Calculator>()?.add(2, 3)?, 5);
    assert_eq!(logger.0.take(), ["2 + 3"]);
    Ok(())
}

#[test]
fn peers_may_be_fakes() {
    let doubler = FakeDoubler::default();
    let host = host().peer::<dyn Doubler>(doubler.clone());
    let calculator = host.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.quadruple(5), Ok(Ok(20)));
    assert_eq!(doubler.0.take(), [5, 10]);
    let message = calculator.fail_at_peer().unwrap();
    let expected = format!(", testing.doubler.fail: panicked: not today (at {}:", file!());
    assert!(message.starts_with("bundle `") && message.contains(&expected), "{message}");
    assert_eq!(calculator.quadruple(1), Ok(Ok(4)), "a peer that panicked serves on");
}

#[test]
fn a_fake_goes_with_its_host() {
    struct Dropped(Calls<()>);
    impl Logger for Dropped {
        fn log(&self, _: &str) {}
    }
    impl Doubler for Dropped {
        fn double(&self, number: i64) -> i64 {
            number
        }
        fn fail(&self) {}
    }
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.push(());
        }
    }
    let drops = Calls::default();
    let host = Host::new().provide::<dyn Logger>(Dropped(drops.clone())).peer::<dyn Doubler>(Dropped(drops.clone()));
    let calculator = host.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.quadruple(1), Ok(Ok(1)));
    let runtime = std::sync::Arc::downgrade(host.runtime().unwrap());
    drop(host);
    assert!(runtime.upgrade().is_none());
    let error = calculator.add(1, 1).unwrap_err();
    assert!(error.is_unloaded() && error.bundle() == Some("polyplug"), "{error}");
    drop(calculator);
    assert_eq!(drops.take().len(), 2);
}

#[test]
fn each_host_is_on_its_own() {
    let (one, two) = (FakeLogger::default(), FakeLogger::default());
    let hosts = [&one, &two].map(|logger| Host::new().provide::<dyn Logger>(logger.clone()));
    hosts[0].proxy::<dyn Calculator>().unwrap().add(1, 2).unwrap();
    assert_eq!((one.0.take().len(), two.0.take().len()), (1, 0));
}

#[test]
fn settings_come_from_the_test_over_those_of_the_manifest() {
    let settings = |host: Host| host.proxy::<dyn Calculator>().unwrap().settings().unwrap();
    assert_eq!(settings(host()), "{}");
    assert_eq!(settings(host().config("level = 3")), r#"{"level":3}"#);
    let peer = || host().peer::<dyn Doubler>(FakeDoubler::default());
    assert_eq!(settings(peer().manifest(MANIFEST)), r#"{"level":1,"name":"from the manifest"}"#);
    let overridden = r#"{"level":3,"name":"from the manifest"}"#;
    assert_eq!(settings(peer().config("level = 3").manifest(MANIFEST)), overridden);
    assert_eq!(settings(peer().manifest(MANIFEST).config("level = 3")), overridden);
}

#[test]
fn settings_that_the_plugin_refuses_are_an_error() {
    let error = refusal(&host().config("level = 'refused'"));
    assert!(matches!(error, RuntimeError::Factory { .. }), "{error:?}");
    assert!(error.to_string().contains("settings: level: is refused"), "{error}");
}

#[test]
fn settings_that_are_no_toml_end_the_test() {
    let message = panics(|| host().config("level ="));
    assert!(message.starts_with("the settings are not TOML: "), "{message}");
}

#[test]
fn a_host_contract_that_is_missing_is_told_as_by_a_real_host() {
    let error = refusal(&Host::new());
    assert!(error.to_string().contains("the host does not provide the host contract testing.logger@1.0"), "{error}");

    let host = Host::new().manifest(MANIFEST).peer::<dyn Doubler>(FakeDoubler::default());
    let error = refusal(&host);
    assert!(matches!(error, RuntimeError::HostContractMissing(_)), "{error:?}");
    assert!(error.to_string().contains("manifest.toml:8: bundle `caller` needs the host contract"), "{error}");
    assert!(matches!(host.runtime(), Err(RuntimeError::HostContractMissing(_))));
}

#[test]
fn the_manifest_has_to_declare_what_the_plugin_uses() {
    let without = |part: &str| MANIFEST.replace(part, "");
    let dependency = "[[dependency]]\ncontract = \"testing.doubler@2.1\"\n";
    let host = host().manifest(&without(dependency)).peer::<dyn Doubler>(FakeDoubler::default());
    let message = host.proxy::<dyn Calculator>().unwrap().quadruple(1).unwrap().unwrap_err();
    assert!(message.contains("its manifest does not declare it: add `[[dependency]]`"), "{message}");

    let other = MANIFEST.replace("testing.logger@1", "testing.doubler@2\"\noptional = true #");
    let error = refusal(
        &Host::new()
            .manifest(&other)
            .provide::<dyn Logger>(FakeLogger::default())
            .peer::<dyn Doubler>(FakeDoubler::default()),
    );
    assert!(error.to_string().contains("its manifest lists others only"), "{error}");
}

#[test]
fn a_peer_that_is_missing_is_told() {
    let error = refusal(&host().manifest(MANIFEST));
    assert!(matches!(error, RuntimeError::DependencyMissing { .. }), "{error:?}");
    assert!(error.to_string().contains("testing.doubler@2.1"), "{error}");

    let message = host().proxy::<dyn Calculator>().unwrap().quadruple(1).unwrap().unwrap_err();
    assert!(message.contains("may not look up testing.doubler@2"), "{message}");
}

#[test]
fn a_contract_that_nobody_implements_is_told() {
    let error = host().peer::<dyn Doubler>(FakeDoubler::default()).proxy::<dyn Doubler>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no loaded bundle provides testing.doubler@2.3 in bundle `polyplug`: load a bundle that does (there is \
         `testing.calculator@1.0`)"
    );
}

#[test]
fn fakes_are_given_once() {
    let message = panics(|| host().provide::<dyn Logger>(FakeLogger::default()));
    assert!(message.contains("provides the host contract testing.logger@1.0 already"), "{message}");
    let fake = FakeDoubler::default;
    let message = panics(|| host().peer::<dyn Doubler>(fake()).peer::<dyn Doubler>(fake()));
    assert_eq!(message, "the test has a fake peer for testing.doubler already: give each once");
}

#[test]
fn a_malformed_manifest_ends_the_test() {
    let message = panics(|| host().manifest("name = 'caller'\nversion = 1"));
    assert!(message.contains("manifest.toml:2:11:"), "{message}");
    let message = panics(|| host().linked_peer("polyplug", ""));
    assert!(message.contains("manifest.toml:1:1:"), "{message}");
}

#[test]
fn a_manifest_for_another_loader_is_told() {
    let error = refusal(&host().manifest("name = 'caller'\nversion = '1.0.0'\nloader = 'lua'\nfile = 'x'"));
    assert!(matches!(error, RuntimeError::UnknownLoader { .. }), "{error:?}");
}

#[test]
fn a_package_that_is_not_linked_is_told_with_those_that_are() {
    for message in [panics(|| Host::of("my-plugin")), panics(|| host().linked_peer("my-plugin", MANIFEST))] {
        assert_eq!(
            message,
            "no plugin of package `my-plugin` is linked into this test, only those of `polyplug`: give the package's \
             name as in its Cargo.toml, and link it with `use my_plugin as _;`"
        );
    }
}
