//! Settings come from the manifest, with what the host says over it, and reach the plugin as JSON or as its own types.

use std::collections::BTreeMap;
use std::sync::Arc;

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, Runtime};
use polyplug_abi::SupportedLanguage;
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, manifest, runtime};
use serde_json::{Value, json};
use test_contracts::settings::{Settings, SettingsProxy};

const GOOD: &str = "[config]\nprefix = \"> \"\n[config.limits]\nmax_lines = 10\nwords = [\"a\", \"b\"]\n";

fn bundle(config: &str) -> Bundle {
    let bundle = Bundle::native("journal", "plugin-settings");
    write(&bundle, config);
    bundle
}

fn write(bundle: &Bundle, config: &str) {
    bundle.write("manifest.toml", manifest("journal", "native", "plugin") + config);
}

fn load(runtime: &Runtime, config: &str) -> (Bundle, SettingsProxy) {
    let bundle = bundle(config);
    runtime.load_bundle(bundle.path()).unwrap();
    let settings = runtime.proxy::<dyn Settings>().unwrap();
    (bundle, settings)
}

/// What the plugin reads, as JSON.
fn read(runtime: &Runtime, config: &str) -> Value {
    let (_bundle, settings) = load(runtime, config);
    let text = settings.text().unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A table from its text.
fn table(text: &str) -> toml::Table {
    text.parse().unwrap()
}

/// What is wrong with the settings, as the plugin is told.
#[track_caller]
fn fault(config: &str) -> String {
    let runtime = runtime();
    let (_bundle, settings) = load(&runtime, config);
    settings.typed().unwrap().unwrap_err()
}

#[test]
fn without_any_they_are_empty() {
    let runtime = runtime();
    let (_bundle, settings) = load(&runtime, "");
    assert_eq!(settings.text().unwrap(), "{}");
    assert_eq!(settings.bundle().unwrap(), "journal");
}

#[test]
fn the_manifests_reach_the_plugin() {
    let runtime = runtime();
    let (_bundle, settings) = load(&runtime, GOOD);
    assert_eq!(settings.text().unwrap(), r#"{"limits":{"max_lines":10,"words":["a","b"]},"prefix":"> "}"#);
    assert_eq!(settings.typed().unwrap().unwrap(), ["> ", "10", "a b", ""]);
}

#[test]
fn the_hosts_come_first_key_by_key() {
    let runtime = runtime();
    runtime.configure("journal", table("since = 'today'\n[limits]\nmax_lines = 99\nwords = ['c']")).unwrap();
    let (_bundle, settings) = load(&runtime, GOOD);
    assert_eq!(settings.typed().unwrap().unwrap(), ["> ", "99", "c", "today"]);
}

#[test]
fn a_table_and_another_value_are_not_merged() {
    let runtime = runtime();
    runtime.configure("journal", table("a = 1\n[b]\nc = 2")).unwrap();
    assert_eq!(read(&runtime, "[config]\nb = 3\n[config.a]\nd = 4\n"), json!({"a": 1, "b": {"c": 2}}));
}

#[test]
fn anything_that_serialises_to_a_table_will_do() {
    let runtime = runtime();
    runtime.configure("journal", BTreeMap::from([("a", vec![1, 2]), ("b", vec![])])).unwrap();
    runtime.configure("journal", json!({"c": {"d": true}})).unwrap();
    assert_eq!(read(&runtime, ""), json!({"c": {"d": true}}), "each call replaces the one before");
}

#[test]
fn what_is_no_table_is_refused() {
    let runtime = runtime();
    runtime.configure("journal", table("a = 1")).unwrap();
    for wrong in [json!(7), json!([1, 2]), json!("text"), json!({"x": null})] {
        match runtime.configure("journal", &wrong) {
            Err(error @ RuntimeError::Settings { .. }) => {
                let text = error.to_string();
                assert!(text.starts_with("the settings for bundle `journal` cannot be set: "), "{text}");
            }
            other => panic!("{wrong}: {other:?}"),
        }
    }
    assert_eq!(read(&runtime, ""), json!({"a": 1}), "what is refused changes nothing");
}

#[test]
fn they_are_those_of_one_bundle() {
    let runtime = runtime();
    runtime.configure("other", table("a = 1")).unwrap();
    assert_eq!(read(&runtime, ""), json!({}));
}

#[test]
fn a_change_counts_from_the_next_load() {
    let runtime = runtime();
    let (bundle, settings) = load(&runtime, GOOD);
    runtime.configure("journal", table("prefix = '# '")).unwrap();
    assert_eq!(settings.typed().unwrap().unwrap()[0], "> ");
    drop(settings);
    runtime.unload_bundle(BundleId::new("journal")).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Settings>().unwrap().typed().unwrap().unwrap()[0], "# ");
}

#[test]
fn a_change_counts_from_the_next_reload() {
    let runtime: Arc<Runtime> = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let (bundle, settings) = load(&runtime, GOOD);
    runtime.configure("journal", table("prefix = '# '")).unwrap();
    write(&bundle, &GOOD.replace("10", "20"));
    assert_eq!(settings.typed().unwrap().unwrap(), ["> ", "10", "a b", ""]);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(settings.typed().unwrap().unwrap(), ["# ", "20", "a b", ""]);
}

#[test]
fn wrong_settings_name_bundle_and_key() {
    let advice = ": correct `[config]` in its manifest.toml, or what the host gives to `Runtime::configure`";
    for (config, message) in [
        (GOOD.replace("10", "\"x\""), "limits.max_lines: invalid type: string \"x\", expected u32"),
        (GOOD.replace("10", "-1"), "limits.max_lines: invalid value: integer `-1`, expected u32"),
        (GOOD.replace("\"b\"", "7"), "limits.words[1]: invalid type: integer `7`, expected a string"),
        (GOOD.replace("words", "wrods"), "limits.wrods: unknown field `wrods`, expected `max_lines` or `words`"),
        (GOOD.replace("max_lines = 10\n", ""), "limits: missing field `max_lines`"),
        (String::new(), "missing field `prefix`"),
    ] {
        assert_eq!(fault(&config), format!("bundle `journal`: settings: {message}{advice}"));
    }
}

#[test]
fn a_factory_that_refuses_them_refuses_the_load() {
    let runtime = runtime();
    let bundle = bundle(&GOOD.replace("[config]", "[config]\nrefuse = true"));
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bundle `journal`: plugin `Reads` could not be started: bundle `journal`: settings: refuse: unknown field `refuse`, \
         expected one of `prefix`, `limits`, `since`: correct `[config]` in its manifest.toml, or what the host gives to \
         `Runtime::configure`"
    );
}

#[test]
fn every_value_of_toml_has_a_form() {
    let config = r#"
        [config]
        text = "\" \\ \n \r \t \u0000 \u001f \u007f é 🦀"
        "key with \"quotes\"" = true
        numbers = [0, -1, 9223372036854775807, -9223372036854775808]
        floats = [1.0, -0.0, 1e300, 1e-7, 0.1]
        special = [inf, -inf, nan, -nan]
        times = [1979-05-27T07:32:00Z, 1979-05-27T07:32:00, 1979-05-27, 07:32:00.5]
        mixed = [1, "a", [], {}]
        tables = [{ a = 1 }, { b.c = 2 }]
    "#;
    assert_eq!(
        read(&runtime(), config),
        json!({
            "text": "\" \\ \n \r \t \u{0} \u{1f} \u{7f} é 🦀",
            "key with \"quotes\"": true,
            "numbers": [0, -1, i64::MAX, i64::MIN],
            "floats": [1.0, -0.0, 1e300, 1e-7, 0.1],
            "special": ["inf", "-inf", "nan", "nan"],
            "times": ["1979-05-27T07:32:00Z", "1979-05-27T07:32:00", "1979-05-27", "07:32:00.5"],
            "mixed": [1, "a", [], {}],
            "tables": [{"a": 1}, {"b": {"c": 2}}],
        })
    );
}

#[test]
fn times_of_the_host_are_text_as_well() {
    let runtime = runtime();
    runtime.configure("journal", table("since = 1979-05-27")).unwrap();
    let (_bundle, settings) = load(&runtime, GOOD);
    assert_eq!(settings.typed().unwrap().unwrap()[3], "1979-05-27");
}

#[test]
fn loaders_read_them_from_the_manifest() {
    let text = manifest("journal", "native", "plugin") + GOOD;
    let manifest = ManifestData::parse(&text, "journal").unwrap();
    assert_eq!(manifest.config["limits"]["max_lines"].as_integer(), Some(10));

    /// Fails with the settings that it is given.
    struct Telling;
    impl BundleLoader for Telling {
        fn loader_name(&self) -> &'static str {
            "telling"
        }

        fn loader_language(&self) -> SupportedLanguage {
            SupportedLanguage::Rust
        }

        fn supports_hot_reload(&self) -> bool {
            false
        }

        fn load(&self, manifest: &ManifestData, _: &BundleSource, _: &Runtime) -> Result<(), LoaderError> {
            let reason = manifest.config["limits"]["max_lines"].as_integer().unwrap().to_string();
            Err(LoaderError::Failed { bundle: manifest.name.clone(), reason })
        }

        fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
            unreachable!("asked first")
        }
    }
    let runtime = Runtime::builder().loader(Telling).build().unwrap();
    let text = text.replace("native", "telling");
    let source = || BundleSource::Code(String::new());
    let error = runtime.load_bundle_from(&text, source()).unwrap_err();
    assert_eq!(error.to_string(), "bundle `journal`: 10");
    runtime.configure("journal", table("limits.max_lines = 11")).unwrap();
    let error = runtime.load_bundle_from(&text, source()).unwrap_err();
    assert_eq!(error.to_string(), "bundle `journal`: 11", "with the host's over them");
}

#[test]
fn a_config_that_is_no_table_is_refused_with_its_line() {
    let text = format!("config = 7\n{}", manifest("journal", "native", "plugin"));
    let error = ManifestData::parse(&text, "journal").unwrap_err();
    let file = std::path::Path::new("journal").join("manifest.toml");
    assert_eq!(error.to_string(), format!("{}:1:10: invalid type: integer `7`, expected a map", file.display()));
}
