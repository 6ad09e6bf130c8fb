//! The tests of a bundle, which run in the engines of the test files.
//!
//! - [`Language`](language::Language): a language of test files, with its module `polyplug.test`
//! - [`TestFile`](test_file::TestFile): a test file of a bundle
//! - [`Tests`](contract::Tests): the contract that the module `polyplug.test` of each language implements
//! - [`TestBundle`](test_bundle::TestBundle): the bundle that is made of a test file
//! - [`provide`](stand_ins::provide): provides the host contracts that a test file stands in for
//! - [`Job`](session::Job): a test file with what it takes to run it
//! - [`FileReport`](report::FileReport): what became of the tests of a file
//!
//! Invariant: each test file has a runtime of its own. The test bundle is loaded before the bundle under test, so that
//! its stand-ins are there when the code of the bundle under test runs.

pub(crate) mod captured_log;
pub(crate) mod contract;
pub(crate) mod foreign;
pub(crate) mod junit;
pub(crate) mod language;
pub(crate) mod report;
pub(crate) mod session;
pub(crate) mod stand_ins;
pub(crate) mod test_bundle;
pub(crate) mod test_file;
pub(crate) mod watchdog;
