//! The container file of the page on deployment. No image is built here: that takes a registry.

use oauth_tests::pages;

#[test]
fn the_image_is_of_the_rust_that_is_required_and_runs_as_no_one_in_particular() {
    let file = pages::shown("deployment", "dockerfile");
    let manifest = include_str!("../../Cargo.toml");
    let (_, version) = manifest.split_once("rust-version = \"").unwrap();
    let required = version.split('"').next().unwrap();
    assert!(file.starts_with(&format!("FROM rust:{required}-slim")), "{file}");
    let (build, image) = file.split_once("\n\nFROM ").unwrap();
    assert!(build.contains("cargo build --release --locked"), "{build}");
    assert!(image.contains("\nUSER 10001:10001\n") && image.contains("COPY --from=build "), "{image}");
    assert!(!file.to_lowercase().contains("secret="), "{file}");
    // What the program reads is what the image, the unit and the commands give it.
    let program = include_str!("../src/bin/deployed.rs");
    for variable in program.split("env::var(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let given = [&file, include_str!("../../oauth-runtime/docs/deployment.md")].concat();
        assert!(given.contains(&format!("{variable}=")), "{variable}");
    }
}
