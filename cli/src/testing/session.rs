//! The run of one test file, in a runtime of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::ManifestData;
use polyplug::runtime::RuntimeBuilder;
use polyplug::{BundleId, Runtime};
use polyplug_abi::Compatibility;
use tempfile::TempDir;

use super::contract::{Case, Tests, TestsProxy};
use super::report::{Status, TestReport};
use super::test_bundle::TestBundle;
use super::test_file::TestFile;
use super::{captured_log, stand_ins};
use crate::bundle::{Contracts, with_contracts};
use crate::stand_in::StandIn;

/// The text of the error of a call of a host contract that no test file stands in for.
const NO_STAND_IN: &str = "no test stands in for this host contract: the test file declares a stand-in with `stand_in` \
                           (`standIn` in JavaScript) of `polyplug.test`";

/// What the test files of a bundle have in common.
#[derive(Debug, Clone)]
pub(crate) struct UnderTest {
    pub(crate) manifest: ManifestData,
    /// The bundles that are loaded before the bundle under test.
    pub(crate) with: Vec<PathBuf>,
    /// The contracts that the tests may name.
    pub(crate) contracts: Contracts,
    /// The settings that are given on the command line.
    pub(crate) settings: toml::Table,
    /// The time that a test may take.
    pub(crate) timeout: Duration,
    /// A part of the names of the tests that are run.
    pub(crate) filter: Option<String>,
}

/// A test file with what it takes to run it.
pub(crate) struct Job {
    pub(crate) bundle: UnderTest,
    pub(crate) file: TestFile,
}

/// What a run tells while it goes on.
pub(crate) enum Progress {
    /// A test begins.
    Begins(Case),
    /// A test has ended.
    Ended(TestReport),
    /// The run has ended. It has an error if the tests could not be run.
    Done(Result<()>),
}

impl Job {
    /// Runs the tests of the file, and tells what becomes of them.
    pub(crate) fn run(&self, progress: &Sender<Progress>) {
        let outcome = self.run_tests(progress);
        let _ = progress.send(Progress::Done(outcome));
    }

    fn run_tests(&self, progress: &Sender<Progress>) -> Result<()> {
        let session = Session::start(self)?;
        let cases = session.tests.cases()?;
        if cases.is_empty() {
            bail!("{}", self.no_tests());
        }
        captured_log::take();
        for (number, case) in (0..).zip(cases) {
            let is_wanted = |part: &String| case.name.contains(part) || self.file.path().contains(part);
            if !self.bundle.filter.as_ref().is_none_or(is_wanted) {
                continue;
            }
            let _ = progress.send(Progress::Begins(case.clone()));
            let start = Instant::now();
            let outcome = session.tests.run(number);
            let (time, log) = (start.elapsed(), captured_log::take());
            let status = Status::of(outcome, time, self.bundle.timeout);
            let report = TestReport { name: case.name, place: case.place, status, time, log };
            let _ = progress.send(Progress::Ended(report));
        }
        Ok(())
    }

    fn no_tests(&self) -> String {
        format!("{} declares no tests: declare {}", self.file.path(), self.file.language.declaration())
    }
}

/// A runtime with a test bundle and the bundle under test. The fields are dropped from the first to the last.
struct Session {
    tests: TestsProxy,
    _runtime: Arc<Runtime>,
    _copies: Vec<TempDir>,
    _test_bundle: TestBundle,
}

impl Session {
    fn start(job: &Job) -> Result<Self> {
        let Job { bundle, file } = job;
        if !file.language.has_loader() {
            bail!("{}: this program was built without the loader `{}`", file.path(), file.language.loader());
        }
        let manifest = &bundle.manifest;
        let test_bundle = TestBundle::make(&manifest.origin, &manifest.name, file, &bundle.contracts)?;
        let builder = with_loaders(Runtime::builder(), bundle.timeout).data_directory(test_bundle.data());
        // The test bundle needs the bundle under test, which is loaded later.
        let runtime = builder.compatibility(Compatibility::Relaxed).build().context("the runtime cannot be made")?;
        let id = match runtime.load_bundle(test_bundle.path()) {
            Ok(id) => id,
            Err(RuntimeError::Loader(LoaderError::NothingRegistered { .. })) => bail!("{}", job.no_tests()),
            Err(error) => return Err(error.into()),
        };
        let tests = runtime.proxy_from::<dyn Tests>(id).with_context(|| job.no_tests())?;
        let info = runtime.bundle(id).context("the test bundle was unloaded at once")?;
        stand_ins::provide(&runtime, &info)?;
        runtime.provide_bridge(StandIn(NO_STAND_IN));
        let mut copies = Vec::new();
        for other in &bundle.with {
            let other = ManifestData::read(other)?;
            job.check_needs(&runtime, &other)?;
            runtime.load_bundle(with_contracts(&other.files(), &bundle.contracts, &mut copies)?)?;
        }
        runtime.configure(&*manifest.name, job.settings(&tests)?)?;
        job.check_needs(&runtime, manifest)?;
        let _: BundleId = runtime.load_bundle(with_contracts(&manifest.files(), &bundle.contracts, &mut copies)?)?;
        Ok(Self { tests, _runtime: runtime, _copies: copies, _test_bundle: test_bundle })
    }
}

impl Job {
    /// Returns the settings of the bundle under test: those of the command line, over those of the test file.
    fn settings(&self, tests: &TestsProxy) -> Result<toml::Table> {
        let of_file = tests.settings()?;
        let invalid = || format!("{}: these are no settings", self.file.path());
        let mut settings: toml::Table = match &of_file {
            Some(json) => serde_json::from_str(json).with_context(invalid)?,
            None => toml::Table::new(),
        };
        settings.extend(self.bundle.settings.clone());
        Ok(settings)
    }

    /// Checks that there is a plugin for each contract of other bundles that a bundle needs. The runtime loads the bundle
    /// all the same.
    fn check_needs(&self, runtime: &Runtime, manifest: &ManifestData) -> Result<()> {
        for need in &manifest.dependencies {
            if runtime.find_guest_contract(need.id().id(), need.minor).is_err() {
                let contract = format!("{}@{}", need.contract, need.major);
                bail!(
                    "bundle `{}` needs {contract}.{} of another bundle: declare `{}` in {}, or give a bundle that provides it \
                     with `--with`",
                    manifest.name,
                    need.minor,
                    self.file.language.stand_in(&contract),
                    self.file.path()
                );
            }
        }
        Ok(())
    }
}

/// Adds all loaders of this program, whose engines end a call after the time that a test may take.
fn with_loaders(builder: RuntimeBuilder, timeout: Duration) -> RuntimeBuilder {
    let _ = timeout; // used if there is an engine that limits the time
    #[cfg(feature = "dotnet")]
    let builder = builder.loader(polyplug_dotnet::DotnetLoader::new());
    #[cfg(feature = "js")]
    let builder = builder.loader(polyplug_js::JsLoader::new().with_time_limit(timeout));
    #[cfg(feature = "lua")]
    let builder = builder.loader(polyplug_lua::LuaLoader::new().with_time_limit(timeout));
    #[cfg(feature = "native")]
    let builder = builder.loader(polyplug_native::NativeLoader::new());
    #[cfg(feature = "python")]
    let builder = builder.loader(polyplug_python::PythonLoader::new().with_time_limit(timeout));
    builder
}
