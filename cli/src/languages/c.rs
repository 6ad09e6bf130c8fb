//! C and C++: a header for each contract, with the structures of canonical memory.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use polyplug::GuestContractId;
use polyplug::schema::plan::{Body, Kind, MethodPlan, NodeId, Place, Plan};
use polyplug::schema::{Definition, Field, Method, Schema, Shape, TypeRef};

use super::c_types::{is_empty, type_name};
use super::language::Language;
use super::names::{Part, module, snake, space};
use super::{docs, names, parts};
use crate::bundle::Contracts;

/// The type of an option's tag.
static TAG: TypeRef = TypeRef::U8;

/// Returns a header for each contract.
pub(crate) fn stubs(contracts: &Contracts) -> Vec<(String, String)> {
    let header = |schema: &Schema| {
        let plan = Plan::new(schema);
        let prefix = module(&schema.name, schema.major).to_uppercase();
        let writer = Writer {
            schema,
            plan: &plan,
            space: space(&schema.name, schema.major),
            prefix,
            structs: Vec::new(),
            finished: BTreeSet::new(),
            constants: BTreeSet::new(),
            out: String::new(),
        };
        writer.header()
    };
    contracts.values().map(|schema| (format!("{}.h", module(&schema.name, schema.major)), header(schema))).collect()
}

/// A structure that is made for a type.
struct Struct<'a> {
    ty: TypeRef,
    node: NodeId,
    about: Vec<String>,
    kind: StructKind<'a>,
}

enum StructKind<'a> {
    /// Members one after the other.
    Members(Vec<Member<'a>>),
    /// A tag, and a union of what each case has: the name of its member, its documentation, and its members.
    Tagged { at: usize, cases: Vec<(String, Vec<String>, Vec<Member<'a>>)> },
    /// A pointer and a length. The elements of a map are entries with a key and a value.
    Sequence { of: &'a TypeRef, entry: Option<[Member<'a>; 2]>, stride: usize },
}

impl<'a> Struct<'a> {
    /// Returns the members of a map's entry.
    fn entry(&self) -> Option<&[Member<'a>; 2]> {
        match &self.kind {
            StructKind::Sequence { entry, .. } => entry.as_ref(),
            _ => None,
        }
    }
}

/// A member of a structure.
#[derive(Clone)]
struct Member<'a> {
    name: String,
    about: Vec<String>,
    ty: &'a TypeRef,
    place: Place,
}

struct Writer<'a> {
    schema: &'a Schema,
    plan: &'a Plan,
    /// What stands before the names of types.
    space: String,
    /// What stands before the names of constants.
    prefix: String,
    structs: Vec<Struct<'a>>,
    /// The structures that are written, by their names.
    finished: BTreeSet<String>,
    constants: BTreeSet<String>,
    out: String,
}

impl<'a> Writer<'a> {
    fn header(mut self) -> String {
        let (schema, plan, prefix) = (self.schema, self.plan, self.prefix.clone());
        let mut about = vec![format!("The contract {schema}. Made by `polyplug stubs --lang c`."), String::new()];
        about.extend(docs::lines(&schema.docs));
        about.truncate(if about.len() == 2 { 1 } else { about.len() });
        self.comment("", &about);
        let _ = writeln!(
            self.out,
            "#ifndef {prefix}_H\n#define {prefix}_H\n\n#include <assert.h>\n#include <stddef.h>\n\n\
             #include \"polyplug.h\"\n"
        );
        self.out.push_str("#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
        self.identity(&prefix, &schema.name, schema.major, Some(schema.minor), &schema.methods);
        for (name, definition, object) in parts::objects(schema) {
            let prefix = format!("{prefix}_{}", snake(&name).to_uppercase());
            let mut about = docs::lines(&definition.docs);
            about.push(format!("An object of the contract {}@{}.", object.contract, object.major));
            self.comment("", &about);
            self.identity(&prefix, &object.contract, object.major, None, &object.methods);
        }
        self.enums();

        for (method, places) in schema.methods.iter().zip(plan.methods()) {
            self.collect_method(method, places);
        }
        let mut objects = BTreeSet::new();
        for (number, definition) in (0..).zip(&schema.types) {
            let node = plan.definition(number);
            if let (Shape::Object(object), Kind::Object { methods, .. }) = (&definition.shape, &node.kind)
                && objects.insert((&object.contract, object.major))
            {
                for (method, places) in object.methods.iter().zip(methods) {
                    self.collect_method(method, places);
                }
            }
        }
        let names: Vec<_> = self.structs.iter().map(|each| type_name(schema, &each.ty)).collect();
        for name in &names {
            let _ = writeln!(self.out, "typedef struct {name} {name};");
        }
        let maps: Vec<_> = self.structs.iter().filter(|each| each.entry().is_some()).collect();
        for map in &maps {
            let name = type_name(schema, &map.ty);
            let _ = writeln!(self.out, "typedef struct {name}_entry {name}_entry;");
        }
        if !names.is_empty() {
            self.out.push('\n');
        }
        for number in 0..self.structs.len() {
            self.write(number);
        }
        self.entries();

        for (method, places) in schema.methods.iter().zip(plan.methods()) {
            self.method("", method, places);
        }
        objects.clear();
        for (number, definition) in (0..).zip(&schema.types) {
            let node = plan.definition(number);
            if let (Shape::Object(object), Kind::Object { methods, .. }) = (&definition.shape, &node.kind)
                && objects.insert((&object.contract, object.major))
            {
                for (method, places) in object.methods.iter().zip(methods) {
                    self.method(&format!("{}_", names::object(schema, object)), method, places);
                }
            }
        }
        let _ = writeln!(self.out, "#ifdef __cplusplus\n}}\n#endif\n\n#endif");
        self.out
    }

    /// Writes the names and numbers of a contract.
    fn identity(&mut self, prefix: &str, name: &str, major: u32, minor: Option<u32>, methods: &[Method]) {
        let _ = writeln!(self.out, "#define {prefix}_NAME \"{}\"", escaped(name));
        let _ = writeln!(self.out, "#define {prefix}_MAJOR {major}");
        if let Some(minor) = minor {
            let _ = writeln!(self.out, "#define {prefix}_MINOR {minor}");
        }
        let id = GuestContractId::new(name, major).id();
        let _ = writeln!(self.out, "/* The contract's id, as polyplug_guest_contract_id returns it. */");
        let _ = writeln!(self.out, "#define {prefix}_ID UINT64_C(0x{id:016x})\n");
        let _ = writeln!(self.out, "/* The methods' numbers: their places in the contract. */\nenum {{");
        for (number, method) in methods.iter().enumerate() {
            let constant = self.constant(format!("{prefix}_METHOD_{}", snake(&method.name).to_uppercase()));
            let _ = writeln!(self.out, "    {constant} = {number},");
        }
        let constant = self.constant(format!("{prefix}_METHODS"));
        let _ = writeln!(self.out, "    {constant} = {}\n}};\n", methods.len());
    }

    /// Returns the name of a constant: another one if there is a constant of that name.
    fn constant(&mut self, mut name: String) -> String {
        while !self.constants.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// Writes the enums, and the tags of variants.
    fn enums(&mut self) {
        let schema = self.schema;
        for definition in &schema.types {
            let (Shape::Enum(cases) | Shape::Variant(cases)) = &definition.shape else { continue };
            let is_enum = matches!(definition.shape, Shape::Enum(_));
            let mut about = docs::lines(&definition.docs);
            if !is_enum {
                about = vec![format!("The tags of {}_{}.", self.space, definition.name)];
            }
            self.comment("", &about);
            if is_enum {
                let _ = writeln!(self.out, "typedef uint32_t {}_{};", self.space, definition.name);
            }
            self.out.push_str("enum {\n");
            for (number, case) in cases.iter().enumerate() {
                self.comment("    ", &docs::with_notes(&case.docs, schema.major, case.since, case.other));
                let name = format!("{}_{}_{}", self.prefix, snake(&definition.name), snake(&case.name)).to_uppercase();
                let name = self.constant(name);
                let end = if number + 1 == cases.len() { "" } else { "," };
                let _ = writeln!(self.out, "    {name} = {number}{end}");
            }
            self.out.push_str("};\n\n");
        }
    }

    fn collect_method(&mut self, method: &'a Method, places: &MethodPlan) {
        for (argument, place) in method.arguments.iter().zip(&places.arguments) {
            self.collect(&argument.ty, place.node);
        }
        self.collect(&method.result, places.result);
    }

    fn members(&self, fields: &'a [Field], places: &[Place]) -> Vec<Member<'a>> {
        let pairs = fields.iter().zip(places);
        let members = pairs.map(|(field, place)| Member {
            name: Language::C.spell(Part::Field, &field.name),
            about: docs::with_notes(&field.docs, self.schema.major, field.since, false),
            ty: &field.ty,
            place: *place,
        });
        members.collect()
    }

    /// Collects the structures that a type needs.
    fn collect(&mut self, ty: &'a TypeRef, id: NodeId) {
        let node = self.plan.node(id);
        let member = |name: &str, ty: &'a TypeRef, at: usize, node: NodeId| Member {
            name: name.to_owned(),
            about: Vec::new(),
            ty,
            place: Place { at, node },
        };
        let case =
            |name: &str, ty: &'a TypeRef, node: NodeId| (name.to_owned(), Vec::new(), vec![member(name, ty, 0, node)]);
        if is_empty(ty) || self.structs.iter().any(|each| each.ty == *ty) {
            return;
        }
        let mut about = Vec::new();
        let kind = match (ty, &node.kind) {
            (TypeRef::Box(of), Kind::Box(node)) => return self.collect(of, *node),
            (TypeRef::Option(of), Kind::Nullable(node)) => {
                let TypeRef::Box(of) = &**of else { return };
                return self.collect(of, *node);
            }
            (TypeRef::List(of), Kind::List(node)) => {
                StructKind::Sequence { of, entry: None, stride: self.plan.node(*node).size }
            }
            (TypeRef::Map(key, value), Kind::Map { key: key_node, value: value_node, value_at, stride, .. }) => {
                let entry = [member("key", key, 0, *key_node), member("value", value, *value_at, *value_node)];
                StructKind::Sequence { of: key, entry: Some(entry), stride: *stride }
            }
            (TypeRef::Option(of), Kind::Option { of: node, at }) => {
                about.push("`tag` is 0 for none and 1 for a value.".to_owned());
                StructKind::Members(vec![member("tag", &TAG, 0, id), member("value", of, *at, *node)])
            }
            (TypeRef::Tuple(of), Kind::Tuple(places)) => {
                let pairs = of.iter().zip(places).enumerate();
                StructKind::Members(
                    pairs.map(|(i, (ty, place))| member(&format!("_{i}"), ty, place.at, place.node)).collect(),
                )
            }
            (TypeRef::Result(ok, err), Kind::Result { ok: ok_node, err: err_node, at }) => {
                about.push("`tag` is 0 for ok and 1 for err.".to_owned());
                StructKind::Tagged { at: *at, cases: vec![case("ok", ok, *ok_node), case("err", err, *err_node)] }
            }
            (TypeRef::Named(number), kind) => {
                let Definition { docs, shape, .. } = self.schema.definition(*number);
                about = docs::lines(docs);
                match (shape, kind) {
                    (Shape::Record(fields), Kind::Record(_, body)) => {
                        StructKind::Members(self.members(fields, &body.places))
                    }
                    (Shape::Variant(described), Kind::Variant { at, cases, .. }) => {
                        let pairs = described.iter().zip(cases);
                        let cases = pairs.map(|(case, Body { places, .. })| {
                            let about = docs::with_notes(&case.docs, self.schema.major, case.since, case.other);
                            let name = snake(&case.name);
                            let name = if Language::C.is_keyword(&name) { format!("{name}_") } else { name };
                            (name, about, self.members(&case.fields, places))
                        });
                        StructKind::Tagged { at: *at, cases: cases.collect() }
                    }
                    _ => return,
                }
            }
            _ => return,
        };
        let mut inner: Vec<(&'a TypeRef, NodeId)> = Vec::new();
        match &kind {
            StructKind::Members(members) => inner.extend(members.iter().map(|member| (member.ty, member.place.node))),
            StructKind::Tagged { cases, .. } => {
                inner.extend(
                    cases.iter().flat_map(|(_, _, members)| members).map(|member| (member.ty, member.place.node)),
                );
            }
            StructKind::Sequence { entry: Some(entry), .. } => {
                inner.extend(entry.iter().map(|member| (member.ty, member.place.node)));
            }
            StructKind::Sequence { of, entry: None, .. } => {
                if let Kind::List(node) = &node.kind {
                    inner.push((of, *node));
                }
            }
        }
        self.structs.push(Struct { ty: ty.clone(), node: id, about, kind });
        // A member `tag` has the node of its structure, whose type is known by now.
        for (ty, node) in inner {
            if !matches!(ty, TypeRef::Scalar(_)) {
                self.collect(ty, node);
            }
        }
    }

    /// Writes a structure, after those that it has as members.
    fn write(&mut self, number: usize) {
        let name = type_name(self.schema, &self.structs[number].ty);
        if !self.finished.insert(name.clone()) {
            return;
        }
        let within: Vec<TypeRef> = match &self.structs[number].kind {
            StructKind::Members(members) => members.iter().map(|member| member.ty.clone()).collect(),
            StructKind::Tagged { cases, .. } => {
                cases.iter().flat_map(|(_, _, members)| members).map(|member| member.ty.clone()).collect()
            }
            StructKind::Sequence { .. } => Vec::new(),
        };
        for ty in within {
            if let Some(number) = self.structs.iter().position(|each| each.ty == ty) {
                self.write(number);
            }
        }
        // The structures stay as they are: only their texts are written.
        let structs = std::mem::take(&mut self.structs);
        self.write_one(&name, &structs[number]);
        self.structs = structs;
    }

    fn write_one(&mut self, name: &str, of: &Struct<'_>) {
        let node = self.plan.node(of.node);
        self.comment("", &of.about);
        let mut checks = vec![format!("sizeof({name}) == {}", node.size)];
        let _ = writeln!(self.out, "struct {name} {{");
        match &of.kind {
            StructKind::Members(members) => {
                for member in members {
                    self.member("    ", member);
                    if !is_empty(member.ty) {
                        checks.push(format!("offsetof({name}, {}) == {}", member.name, member.place.at));
                    }
                }
            }
            StructKind::Tagged { at, cases } => {
                self.out.push_str("    uint32_t tag;\n");
                let is_result = matches!(of.ty, TypeRef::Result(..));
                let filled = |members: &[Member<'_>]| members.iter().any(|member| !is_empty(member.ty));
                if cases.iter().any(|(_, _, members)| filled(members)) {
                    self.out.push_str("    union {\n");
                    for (case, about, members) in cases.iter().filter(|(_, _, members)| filled(members)) {
                        self.comment("        ", about);
                        if is_result {
                            members.iter().for_each(|member| self.member("        ", member));
                            continue;
                        }
                        self.out.push_str("        struct {\n");
                        for member in members {
                            self.member("            ", member);
                            if !is_empty(member.ty) {
                                let place = at + member.place.at;
                                checks.push(format!("offsetof({name}, of.{case}.{}) == {place}", member.name));
                            }
                        }
                        let _ = writeln!(self.out, "        }} {case};");
                    }
                    self.out.push_str("    } of;\n");
                    checks.push(format!("offsetof({name}, of) == {at}"));
                }
            }
            StructKind::Sequence { of: element, entry, .. } => {
                let pointee = match entry {
                    Some(_) => format!("const {name}_entry *"),
                    None => type_name(self.schema, &TypeRef::Box(Box::new((*element).clone()))),
                };
                let space = if pointee.ends_with('*') { "" } else { " " };
                let _ = writeln!(self.out, "    {pointee}{space}ptr;\n    size_t len;");
            }
        }
        self.out.push_str("};\n");
        self.checks(&checks);
    }

    /// Writes the entries of maps. A structure in an entry may have the map as a member, so they come last.
    fn entries(&mut self) {
        let structs = std::mem::take(&mut self.structs);
        for each in &structs {
            let (Some(entry), StructKind::Sequence { stride, .. }) = (each.entry(), &each.kind) else { continue };
            let name = format!("{}_entry", type_name(self.schema, &each.ty));
            let _ = writeln!(self.out, "struct {name} {{");
            entry.iter().for_each(|member| self.member("    ", member));
            self.out.push_str("};\n");
            let mut checks = vec![format!("sizeof({name}) == {stride}")];
            let filled = entry.iter().filter(|member| !is_empty(member.ty));
            checks.extend(filled.map(|member| format!("offsetof({name}, {}) == {}", member.name, member.place.at)));
            self.checks(&checks);
        }
        self.structs = structs;
    }

    fn checks(&mut self, checks: &[String]) {
        for check in checks {
            let _ = writeln!(self.out, "static_assert({check}, \"canonical memory\");");
        }
        self.out.push('\n');
    }

    fn member(&mut self, indent: &str, member: &Member<'_>) {
        if is_empty(member.ty) {
            return;
        }
        self.comment(indent, &member.about);
        let ty = type_name(self.schema, member.ty);
        let space = if ty.ends_with('*') { "" } else { " " };
        let _ = writeln!(self.out, "{indent}{ty}{space}{};", member.name);
    }

    /// Writes the structure of a method's arguments.
    fn method(&mut self, object: &str, method: &'a Method, places: &MethodPlan) {
        let members = self.members(&method.arguments, &places.arguments);
        let mut about = docs::with_notes(&method.docs, self.schema.major, method.since, false);
        let name = format!("{}_{object}{}_args", self.space, method.name);
        let result = if is_empty(&method.result) {
            "There is no result.".to_owned()
        } else {
            format!("The result is of the type {}.", type_name(self.schema, &method.result))
        };
        let is_without = members.iter().all(|member| is_empty(member.ty));
        if !about.is_empty() {
            about.push(String::new());
        }
        about.push(match is_without {
            true => format!("`{object}{}` takes no arguments. {result}", method.name),
            false => format!("The arguments of `{object}{}`. {result}", method.name),
        });
        self.comment("", &about);
        if is_without {
            self.out.push('\n');
            return;
        }
        let _ = writeln!(self.out, "typedef struct {name} {{");
        members.iter().for_each(|member| self.member("    ", member));
        let _ = writeln!(self.out, "}} {name};");
        let mut checks = vec![format!("sizeof({name}) == {}", places.size)];
        let filled = members.iter().filter(|member| !is_empty(member.ty));
        checks.extend(filled.map(|member| format!("offsetof({name}, {}) == {}", member.name, member.place.at)));
        self.checks(&checks);
    }

    fn comment(&mut self, indent: &str, lines: &[String]) {
        let lines: Vec<_> = lines.iter().map(|line| commentable(line)).collect();
        match &lines[..] {
            [] => {}
            [line] => {
                let _ = writeln!(self.out, "{indent}/* {line} */");
            }
            [first, rest @ ..] => {
                let _ = writeln!(self.out, "{indent}/* {first}");
                for line in rest {
                    let _ = writeln!(self.out, "{}", format!("{indent} * {line}").trim_end());
                }
                let _ = writeln!(self.out, "{indent} */");
            }
        }
    }
}

/// Returns a line that neither ends a comment nor is a fault of style in one: compilers warn of `/*` and of trigraphs.
fn commentable(line: &str) -> String {
    let mut line = line.replace("??", "? ?");
    for (from, to) in [("*/", "* /"), ("/*", "/ *")] {
        line = line.replace(from, to);
    }
    line.trim_end_matches('\\').to_owned()
}

fn escaped(text: &str) -> String {
    text.escape_default().to_string()
}
