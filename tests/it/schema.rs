//! The published schema of a result, as a program that reads results would use it.

use boon::{Compiler, Schemas};
use kellgrend::outbox::record::SCHEMA;
use serde_json::Value;

/// What of a result does not fit the published schema, formats included. The schema itself is checked on the way.
pub fn misfit(result: &Value) -> Option<String> {
    let address = "urn:kellgrend:result";
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.enable_format_assertions();
    compiler.add_resource(address, serde_json::from_str(SCHEMA).expect("JSON")).expect("an address");
    let schema = compiler.compile(address, &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
    schemas.validate(result, schema).err().map(|error| error.to_string())
}
