//! The spelling of a schema as WIT, the interface language of the WebAssembly component model. The text is for people:
//! WIT has no recursion, so a WIT tool does not accept the text of every schema.

use std::fmt::Write as _;

use crate::schema::names::kebab;
use crate::schema::scalar::Scalar;
use crate::schema::schema::{Case, Field, Interface, Method, Schema, Shape, TypeRef};

impl Schema {
    /// Returns the contract as WIT text.
    ///
    /// ```
    /// # use polyplug::schema::Schema;
    /// #[polyplug::contract(name = "demo.greeter", version = "1.0")]
    /// trait Greeter {
    ///     /// Greets `name`.
    ///     fn greet(&self, name: &str) -> String;
    /// }
    ///
    /// let text = Schema::of::<dyn Greeter>().to_wit();
    /// assert!(text.contains("greet: func(name: string) -> string;"));
    /// ```
    #[must_use]
    pub fn to_wit(&self) -> String {
        let mut out = String::new();
        let (package, interface) = self.name.rsplit_once('.').unwrap_or(("polyplug", &self.name));
        let _ = writeln!(out, "package {}:{}@{}.{}.0;\n", kebab(package), kebab(interface), self.major, self.minor);
        comment(&mut out, "", &self.docs);
        let _ = writeln!(out, "interface {} {{", id(interface));
        for definition in &self.types {
            comment(&mut out, "  ", &definition.docs);
            let name = id(&definition.name);
            match &definition.shape {
                Shape::Record(fields) => self.record(&mut out, &name, fields),
                Shape::Enum(cases) => {
                    let _ = writeln!(out, "  enum {name} {{");
                    for case in cases {
                        comment(&mut out, "    ", &case.docs);
                        let _ = writeln!(out, "    {},", id(&case.name));
                    }
                    out.push_str("  }\n\n");
                }
                Shape::Variant(cases) => self.variant(&mut out, &name, cases),
                Shape::Object(interface) => {
                    let _ = writeln!(out, "  resource {name} {{");
                    interface.methods.iter().for_each(|method| self.write_method(&mut out, "    ", method));
                    out.push_str("  }\n\n");
                }
            }
        }
        for method in &self.methods {
            self.write_method(&mut out, "  ", method);
        }
        out.push_str("}\n");
        out
    }

    fn write_method(&self, out: &mut String, indent: &str, method: &Method) {
        comment(out, indent, &method.docs);
        if method.since > 0 {
            let _ = writeln!(out, "{indent}@since(version = {}.{}.0)", self.major, method.since);
        }
        let arguments: Vec<_> =
            method.arguments.iter().map(|field| format!("{}: {}", id(&field.name), self.wit(&field.ty))).collect();
        let result = match &method.result {
            TypeRef::Unit => String::new(),
            result => format!(" -> {}", self.wit(result)),
        };
        let _ = writeln!(out, "{indent}{}: func({}){result};", id(&method.name), arguments.join(", "));
    }

    fn record(&self, out: &mut String, name: &str, fields: &[Field]) {
        let _ = writeln!(out, "  record {name} {{");
        for field in fields {
            comment(out, "    ", &field.docs);
            let _ = writeln!(out, "    {}: {},", id(&field.name), self.wit(&field.ty));
        }
        out.push_str("  }\n\n");
    }

    fn variant(&self, out: &mut String, name: &str, cases: &[Case]) {
        let _ = writeln!(out, "  variant {name} {{");
        for case in cases {
            comment(out, "    ", &case.docs);
            let payload = match &case.fields[..] {
                [] => String::new(),
                [field] => format!("({})", self.wit(&field.ty)),
                fields => {
                    let parts: Vec<_> = fields.iter().map(|field| self.wit(&field.ty)).collect();
                    format!("(tuple<{}>)", parts.join(", "))
                }
            };
            let _ = writeln!(out, "    {}{payload},", id(&case.name));
        }
        out.push_str("  }\n\n");
    }

    fn wit(&self, ty: &TypeRef) -> String {
        match ty {
            TypeRef::Unit => "_".to_owned(),
            TypeRef::Scalar(Scalar::I8) => "s8".to_owned(),
            TypeRef::Scalar(Scalar::I16) => "s16".to_owned(),
            TypeRef::Scalar(Scalar::I32) => "s32".to_owned(),
            TypeRef::Scalar(Scalar::I64) => "s64".to_owned(),
            TypeRef::List(of) => format!("list<{}>", self.wit(of)),
            TypeRef::Option(of) => format!("option<{}>", self.wit(of)),
            TypeRef::Box(of) => self.wit(of),
            TypeRef::Map(key, value) => format!("list<tuple<{}, {}>>", self.wit(key), self.wit(value)),
            TypeRef::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.wit(part)).collect();
                format!("tuple<{}>", parts.join(", "))
            }
            TypeRef::Result(ok, err) => match (&**ok, &**err) {
                (TypeRef::Unit, TypeRef::Unit) => "result".to_owned(),
                (ok, TypeRef::Unit) => format!("result<{}>", self.wit(ok)),
                (ok, err) => format!("result<{}, {}>", self.wit(ok), self.wit(err)),
            },
            TypeRef::Named(number) => {
                let definition = self.definition(*number);
                let name = kebab(&definition.name);
                match &definition.shape {
                    Shape::Object(Interface { kept: false, .. }) => format!("borrow<{name}>"),
                    _ => name,
                }
            }
            scalar => self.type_name(scalar),
        }
    }
}

/// Returns a name in WIT's spelling. WIT names start with a letter, so the field names of a tuple struct, which are
/// numbers, get a letter in front. A keyword of WIT is marked as a name.
fn id(name: &str) -> String {
    let id = kebab(name);
    if id.starts_with(|c: char| c.is_ascii_digit()) {
        format!("f{id}")
    } else if KEYWORDS.contains(&id.as_str()) {
        format!("%{id}")
    } else {
        id
    }
}

const KEYWORDS: [&str; 46] = [
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
    "float32",
    "float64",
    "union",
];

fn comment(out: &mut String, indent: &str, docs: &str) {
    for line in docs.lines() {
        let _ = writeln!(out, "{indent}/// {line}");
    }
}
