//! Finds the mutants of a source file and puts them into it as branches that a number switches on.
//!
//! What is computed while compiling has no branches: constants, patterns, array lengths. Nor has what a macro takes,
//! `matches!` excepted. Whether a branch fits its place is for the compiler to say: what it refuses is left out.

use std::collections::BTreeSet;

use proc_macro2::{LineColumn, Span};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, BinOp, Block, Expr, ExprLit, FnArg, Lit, Member, Pat, ReturnType, Signature, Stmt, UnOp};

/// Something wrong, in one place.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub number: usize,
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// What is done, and to what.
    pub what: String,
    /// Whether it is in a function that is called while compiling.
    pub is_constant: bool,
}

impl Mutant {
    pub fn name(&self) -> String {
        format!("{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}

/// What cannot be woven in.
#[derive(Default)]
pub struct Without {
    pub numbers: BTreeSet<usize>,
    /// Functions that constants call, as the compiler names them: `seconds`, `Platform::is_mobile`.
    pub functions: BTreeSet<String>,
}

/// A file with its mutants in it, which are numbered from `first`. A mutant has the same number whatever is left out.
pub fn weave(name: &str, text: &str, first: usize, without: &Without) -> (String, Vec<Mutant>) {
    let mut file = syn::parse_file(text).expect("the sources parse");
    let mut places = Deletable::default();
    places.visit_file(&file);
    let mut weaver = Weaver {
        file: name,
        first,
        without,
        deletable: places.found,
        owner: None,
        is_constant: false,
        mutants: Vec::new(),
        woven: 0,
    };
    weaver.visit_file_mut(&mut file);
    // The printer parts the operators of an attribute.
    (prettyplease::unparse(&file).replace("= =", "=="), weaver.mutants)
}

type Place = (usize, usize, usize, usize);

fn place(span: Span) -> Place {
    let (LineColumn { line, column }, end) = (span.start(), span.end());
    (line, column, end.line, end.column)
}

/// Expressions whose value is not asked for: statements, and what ends a block that has no value.
#[derive(Default)]
struct Deletable {
    found: BTreeSet<Place>,
}

impl Deletable {
    fn block(&mut self, block: &Block) {
        if let Some(Stmt::Expr(tail, None)) = block.stmts.last() {
            self.expr(tail);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::If(item) => {
                self.block(&item.then_branch);
                if let Some((_, other)) = &item.else_branch {
                    self.expr(other);
                }
            }
            Expr::Match(item) => item.arms.iter().for_each(|arm| self.expr(&arm.body)),
            Expr::Block(item) => self.block(&item.block),
            Expr::Call(_)
            | Expr::MethodCall(_)
            | Expr::Assign(_)
            | Expr::Await(_)
            | Expr::Try(_)
            | Expr::ForLoop(_) => {
                self.found.insert(place(expr.span()));
            }
            Expr::Binary(item) if swapped_assignment(&item.op).is_some() || is_assignment(&item.op) => {
                self.found.insert(place(expr.span()));
            }
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Deletable {
    fn visit_block(&mut self, block: &'ast Block) {
        let last = block.stmts.len().saturating_sub(1);
        for (index, stmt) in block.stmts.iter().enumerate() {
            if let Stmt::Expr(expr, semi) = stmt
                && (semi.is_some() || index < last)
            {
                self.expr(expr);
            }
        }
        visit::visit_block(self, block);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if matches!(item.sig.output, ReturnType::Default) {
            self.block(&item.block);
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if matches!(item.sig.output, ReturnType::Default) {
            self.block(&item.block);
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_for_loop(&mut self, item: &'ast syn::ExprForLoop) {
        self.block(&item.body);
        visit::visit_expr_for_loop(self, item);
    }

    fn visit_expr_while(&mut self, item: &'ast syn::ExprWhile) {
        self.block(&item.body);
        visit::visit_expr_while(self, item);
    }

    fn visit_expr_loop(&mut self, item: &'ast syn::ExprLoop) {
        self.block(&item.body);
        visit::visit_expr_loop(self, item);
    }

    fn visit_expr_method_call(&mut self, item: &'ast syn::ExprMethodCall) {
        if item.method == "for_each"
            && let Some(Expr::Closure(closure)) = item.args.first()
        {
            self.expr(&closure.body);
        }
        visit::visit_expr_method_call(self, item);
    }
}

struct Weaver<'a> {
    file: &'a str,
    first: usize,
    without: &'a Without,
    deletable: BTreeSet<Place>,
    /// The type whose methods these are.
    owner: Option<String>,
    is_constant: bool,
    mutants: Vec<Mutant>,
    woven: usize,
}

impl Weaver<'_> {
    /// A mutant here: the condition under which it acts, unless it is left out.
    fn on(&mut self, span: Span, what: impl Into<String>) -> Option<Expr> {
        let number = self.first + self.mutants.len();
        let LineColumn { line, column } = span.start();
        self.mutants.push(Mutant {
            number,
            file: self.file.to_owned(),
            line,
            column: column + 1,
            what: what.into(),
            is_constant: self.is_constant,
        });
        if self.is_constant || self.without.numbers.contains(&number) {
            return None;
        }
        self.woven += 1;
        let number = proc_macro2::Literal::usize_unsuffixed(number);
        Some(syn::parse_quote!(crate::mutant::on(#number)))
    }

    /// One of several expressions in the place of one.
    fn choose(&mut self, expr: &mut Expr, span: Span, variants: Vec<(String, Expr)>) {
        let mut chosen: Option<Expr> = None;
        for (what, variant) in variants {
            if let Some(on) = self.on(span, what) {
                let rest = chosen.take().unwrap_or_else(|| syn::parse_quote!({ (#expr) }));
                chosen = Some(syn::parse_quote!(if #on { (#variant) } else #rest));
            }
        }
        if let Some(chosen) = chosen {
            *expr = syn::parse_quote!((#chosen));
        }
    }

    /// Something that is true or false, the other way round.
    fn flip(&mut self, expr: &mut Expr, span: Span, what: impl Into<String>) {
        if let Some(on) = self.on(span, what) {
            *expr = syn::parse_quote!(((#expr) ^ #on));
        }
    }

    /// A condition that always holds, and one that never does.
    fn settle(&mut self, expr: &mut Expr, kind: &str, may_hold: bool) {
        let (span, text) = (expr.span(), short(expr));
        self.visit_expr_mut(expr);
        if may_hold && let Some(on) = self.on(span, format!("{kind} always: {text}")) {
            *expr = syn::parse_quote!((#on || (#expr)));
        }
        if let Some(on) = self.on(span, format!("{kind} never: {text}")) {
            *expr = syn::parse_quote!((!#on && (#expr)));
        }
    }

    /// A condition with `let` among what it joins is taken piece by piece.
    fn condition(&mut self, cond: &mut Expr, may_hold: bool) {
        if !has_let(cond) {
            return self.settle(cond, "condition", may_hold);
        }
        let mut pieces = Vec::new();
        flatten(cond.clone(), &mut pieces);
        let mut joined: Option<Expr> = None;
        let mut join = |piece: Expr| {
            joined = Some(match joined.take() {
                None => piece,
                Some(before) => syn::parse_quote!(#before && #piece),
            });
        };
        for mut piece in pieces {
            if let Expr::Let(item) = &mut piece {
                let (span, text) = (item.span(), short(&*item));
                self.visit_expr_mut(&mut item.expr);
                if let Some(on) = self.on(span, format!("pattern never: {text}")) {
                    join(syn::parse_quote!((!#on)));
                }
            } else {
                self.settle(&mut piece, "condition", true);
            }
            join(piece);
        }
        *cond = joined.expect("a condition has a piece");
    }

    fn function(&mut self, signature: &mut Signature, block: &mut Block) {
        let name = match &self.owner {
            None => signature.ident.to_string(),
            Some(owner) => format!("{owner}::{}", signature.ident),
        };
        let (was_constant, woven) = (self.is_constant, self.woven);
        self.is_constant |= signature.constness.is_some() && self.without.functions.contains(&name);
        let length = block.stmts.len();
        let only = block.stmts.first().map(|stmt| stmt.to_token_stream().to_string()).filter(|_| length == 1);
        self.visit_block_mut(block);
        let mut values = Vec::new();
        for value in values_of(&signature.output) {
            if length == 0 || only.as_deref() == Some(value) || value.is_empty() && length == 1 {
                continue;
            }
            if let Some(on) =
                self.on(signature.ident.span(), format!("{} gives {}", signature.ident, or_nothing(value)))
            {
                let value: Option<Expr> = if value.is_empty() { None } else { syn::parse_str(value).ok() };
                values.push(syn::parse_quote!((if #on { return #value; });));
            }
        }
        block.stmts.splice(0..0, values);
        if self.woven > woven {
            // A switch is not known while compiling.
            signature.constness = None;
        }
        self.is_constant = was_constant;
    }

    fn binary(&mut self, expr: &mut Expr) {
        let before = expr.clone();
        let Expr::Binary(item) = expr else { unreachable!("asked for operators only") };
        let (op, span) = (item.op, item.op.span());
        if let BinOp::And(_) | BinOp::Or(_) = op {
            if has_let(&before) {
                return visit_mut::visit_expr_binary_mut(self, item);
            }
            visit_mut::visit_expr_binary_mut(self, item);
            let is_and = matches!(op, BinOp::And(_));
            let what = if is_and { "|| for &&" } else { "&& for ||" };
            if let Some(on) = self.on(span, format!("{what}: {}", short(&before))) {
                let Expr::Binary(item) = &*expr else { unreachable!("it was one above") };
                let (left, right) = (&item.left, &item.right);
                *expr = if is_and {
                    syn::parse_quote!((if (#left) != #on { #right } else { #on }))
                } else {
                    syn::parse_quote!((if (#left) != #on { !#on } else { #right }))
                };
            }
            return;
        }
        visit_mut::visit_expr_binary_mut(self, item);
        if let BinOp::Eq(_) | BinOp::Ne(_) = op {
            let what = if matches!(op, BinOp::Eq(_)) { "!= for ==" } else { "== for !=" };
            return self.flip(expr, span, format!("{what}: {}", short(&before)));
        }
        let variants = swapped(&op).iter().map(|other| {
            let mut variant = before.clone();
            let Expr::Binary(item) = &mut variant else { unreachable!("it was one above") };
            item.op = syn::parse_str(other).expect("an operator");
            (format!("{other} for {}: {}", op.to_token_stream(), short(&before)), variant)
        });
        let mut variants: Vec<(String, Expr)> = variants.collect();
        if let (BinOp::Add(_) | BinOp::Sub(_), Expr::Binary(item)) = (&op, &before) {
            // An instant has no other operator.
            variants.push((format!("without {} {}", op.to_token_stream(), short(&item.right)), (*item.left).clone()));
        }
        self.choose(expr, span, variants);
    }

    fn method(&mut self, expr: &mut Expr) {
        const TAKES_CONDITION: [&str; 13] = [
            "filter",
            "any",
            "all",
            "find",
            "position",
            "is_some_and",
            "is_none_or",
            "is_ok_and",
            "is_err_and",
            "retain",
            "take_while",
            "skip_while",
            "partition",
        ];
        let before = expr.clone();
        let Expr::MethodCall(item) = expr else { unreachable!("asked for methods only") };
        let (name, span) = (item.method.to_string(), item.method.span());
        let judges = TAKES_CONDITION.contains(&name.as_str());
        self.visit_expr_mut(&mut item.receiver);
        for argument in &mut item.args {
            match argument {
                Expr::Closure(closure) if judges => self.settle(&mut closure.body, "condition", true),
                _ => self.visit_expr_mut(argument),
            }
        }
        if let Some(other) = swapped_method(&name, item.args.len()) {
            let mut variant = before.clone();
            let Expr::MethodCall(item) = &mut variant else { unreachable!("it was one above") };
            item.method = syn::Ident::new(other, span);
            self.choose(expr, span, vec![(format!("{other} for {name}: {}", short(&before)), variant)]);
        }
    }

    fn arms(&mut self, item: &mut syn::ExprMatch) {
        let wild = item.arms.iter().rposition(|arm| arm.guard.is_none() && is_wild(&arm.pat));
        self.visit_expr_mut(&mut item.expr);
        for (index, arm) in item.arms.iter_mut().enumerate() {
            let (span, text) = (arm.pat.span(), short(&arm.pat));
            if let Some((_, guard)) = &mut arm.guard {
                self.condition(guard, true);
            } else if wild.is_some_and(|wild| index < wild)
                && let Some(on) = self.on(span, format!("no arm for {text}"))
            {
                arm.guard = Some((Default::default(), syn::parse_quote!((!#on))));
            }
            self.visit_expr_mut(&mut arm.body);
        }
    }

    fn literal(&mut self, expr: &mut Expr) {
        let Expr::Lit(ExprLit { lit, .. }) = &*expr else { unreachable!("asked for literals only") };
        let span = lit.span();
        match lit {
            Lit::Int(_) => {
                let text = lit.to_token_stream().to_string();
                if let Some(on) = self.on(span, format!("{text} + 1")) {
                    *expr = syn::parse_quote!((#expr + if #on { 1 } else { 0 }));
                }
            }
            Lit::Bool(value) => self.flip(expr, span, format!("{} for {}", !value.value, value.value)),
            _ => {}
        }
    }

    fn delete(&mut self, expr: &mut Expr, span: Span, text: String) {
        if let Some(on) = self.on(span, format!("without {text}")) {
            let mut deleted: syn::ExprIf = syn::parse_quote!(if !#on {});
            deleted.then_branch.stmts.push(Stmt::Expr(expr.clone(), Some(Default::default())));
            *expr = syn::parse_quote!((#deleted));
        }
    }
}

fn or_nothing(value: &str) -> &str {
    if value.is_empty() { "up at once" } else { value }
}

/// What a function of this type may give that is wrong.
fn values_of(output: &ReturnType) -> &'static [&'static str] {
    let ReturnType::Type(_, output) = output else { return &[""] };
    let text = output.to_token_stream().to_string().replace(' ', "");
    let is = |start: &str| text.starts_with(start);
    match text.as_str() {
        "bool" => &["true", "false"],
        "u8" | "u16" | "u32" | "u64" | "usize" => &["0"],
        "String" => &["String::new()"],
        "Duration" => &["::std::time::Duration::ZERO"],
        _ if is("Option<") => &["None"],
        _ if is("Vec<") => &["Vec::new()"],
        _ if is("BTreeMap<") || is("BTreeSet<") || is("VecDeque<") => &["Default::default()"],
        _ if is("Result<(),") || text == "io::Result<()>" => &["Ok(())"],
        _ if is("Result<bool,") => &["Ok(true)", "Ok(false)"],
        _ if is("Result<Option<") => &["Ok(None)"],
        _ => &[],
    }
}

fn swapped(op: &BinOp) -> &'static [&'static str] {
    match op {
        BinOp::Lt(_) => &["<=", ">"],
        BinOp::Le(_) => &["<", ">"],
        BinOp::Gt(_) => &[">=", "<"],
        BinOp::Ge(_) => &[">", "<"],
        BinOp::Add(_) => &["-"],
        BinOp::Sub(_) => &["+"],
        BinOp::Mul(_) => &["/"],
        BinOp::Div(_) => &["*"],
        BinOp::Rem(_) => &["/"],
        BinOp::BitAnd(_) => &["|"],
        BinOp::BitOr(_) => &["&"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        op => swapped_assignment(op).unwrap_or_default(),
    }
}

fn swapped_assignment(op: &BinOp) -> Option<&'static [&'static str]> {
    match op {
        BinOp::AddAssign(_) => Some(&["-="]),
        BinOp::SubAssign(_) => Some(&["+="]),
        _ => None,
    }
}

fn is_assignment(op: &BinOp) -> bool {
    matches!(op, BinOp::MulAssign(_) | BinOp::DivAssign(_) | BinOp::BitOrAssign(_) | BinOp::BitAndAssign(_))
}

fn swapped_method(name: &str, arguments: usize) -> Option<&'static str> {
    match (name, arguments) {
        ("min", 1) => Some("max"),
        ("max", 1) => Some("min"),
        ("any", 1) => Some("all"),
        ("all", 1) => Some("any"),
        ("first", 0) => Some("last"),
        ("last", 0) => Some("first"),
        ("saturating_add", 1) => Some("saturating_sub"),
        ("saturating_sub", 1) => Some("saturating_add"),
        ("checked_add", 1) => Some("checked_sub"),
        ("checked_sub", 1) => Some("checked_add"),
        ("is_some_and", 1) => Some("is_none_or"),
        ("is_none_or", 1) => Some("is_some_and"),
        ("pop_front", 0) => Some("pop_back"),
        ("pop_back", 0) => Some("pop_front"),
        ("push_back", 1) => Some("push_front"),
        ("push_front", 1) => Some("push_back"),
        ("first_key_value", 0) => Some("last_key_value"),
        ("last_key_value", 0) => Some("first_key_value"),
        ("pop_first", 0) => Some("pop_last"),
        ("pop_last", 0) => Some("pop_first"),
        ("next", 0) => Some("next_back"),
        ("next_back", 0) => Some("next"),
        ("min_by_key", 1) => Some("max_by_key"),
        ("max_by_key", 1) => Some("min_by_key"),
        ("is_some", 0) => Some("is_none"),
        ("is_none", 0) => Some("is_some"),
        ("is_ok", 0) => Some("is_err"),
        ("is_err", 0) => Some("is_ok"),
        _ => None,
    }
}

fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(item) if matches!(item.op, BinOp::And(_)) => has_let(&item.left) || has_let(&item.right),
        _ => false,
    }
}

fn flatten(expr: Expr, pieces: &mut Vec<Expr>) {
    match expr {
        Expr::Binary(item) if matches!(item.op, BinOp::And(_)) => {
            flatten(*item.left, pieces);
            flatten(*item.right, pieces);
        }
        piece => pieces.push(piece),
    }
}

fn is_wild(pat: &Pat) -> bool {
    match pat {
        Pat::Wild(_) => true,
        Pat::Ident(ident) => {
            ident.subpat.is_none()
                && ident.ident.to_string().starts_with(|first: char| first.is_lowercase())
                && ident.ident != "true"
                && ident.ident != "false"
        }
        _ => false,
    }
}

/// A constant's name: the last part of the path is in capitals, and has two letters at least.
fn is_constant_name(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        name.len() > 1
            && name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
    })
}

/// The text on one line, and not all of a long one.
fn short(node: &impl Spanned) -> String {
    let text = node.span().source_text().unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(70) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        text == "test" || text == "cfg (test)"
    })
}

/// How something prints is for people, and no rule's.
fn prints(item: &syn::ItemImpl) -> bool {
    let name = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).map(|last| last.ident.to_string());
    matches!(name.as_deref(), Some("Debug" | "Display" | "Visitor" | "Hash" | "Error"))
}

impl VisitMut for Weaver<'_> {
    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        if !is_test(&item.attrs) {
            self.function(&mut item.sig, &mut item.block);
        }
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        if is_test(&item.attrs) || prints(item) {
            return;
        }
        let before = self.owner.take();
        self.owner = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        visit_mut::visit_item_impl_mut(self, item);
        self.owner = before;
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            self.function(&mut item.sig, &mut item.block);
        }
    }

    fn visit_trait_item_fn_mut(&mut self, item: &mut syn::TraitItemFn) {
        if let Some(block) = &mut item.default {
            self.function(&mut item.sig, block);
        }
    }

    fn visit_item_mod_mut(&mut self, item: &mut syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit_mut::visit_item_mod_mut(self, item);
        }
    }

    // What is computed while compiling.
    fn visit_item_const_mut(&mut self, _: &mut syn::ItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut syn::ItemStatic) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut syn::ImplItemConst) {}
    fn visit_trait_item_const_mut(&mut self, _: &mut syn::TraitItemConst) {}
    fn visit_variant_mut(&mut self, _: &mut syn::Variant) {}
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_fn_arg_mut(&mut self, _: &mut FnArg) {}
    fn visit_member_mut(&mut self, _: &mut Member) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}
    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}
    fn visit_expr_const_mut(&mut self, _: &mut syn::ExprConst) {}
    fn visit_expr_repeat_mut(&mut self, item: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut item.expr);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        let last = block.stmts.len().saturating_sub(1);
        for stmt in block.stmts.iter_mut().take(last) {
            // What ended with its own bracket is inside of another one now.
            if let Stmt::Expr(Expr::Paren(_), semi @ None) = stmt {
                *semi = Some(Default::default());
            }
        }
    }

    fn visit_local_mut(&mut self, item: &mut syn::Local) {
        if let Some(init) = &mut item.init {
            self.visit_expr_mut(&mut init.expr);
            if let Some((_, diverge)) = &mut init.diverge {
                self.visit_expr_mut(diverge);
            }
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let (span, is_deletable) = (expr.span(), self.deletable.remove(&place(expr.span())));
        let text = if is_deletable { short(&*expr) } else { String::new() };
        match expr {
            Expr::Binary(_) => self.binary(expr),
            Expr::MethodCall(_) => self.method(expr),
            Expr::Lit(_) => self.literal(expr),
            Expr::If(item) => {
                self.condition(&mut item.cond, true);
                self.visit_block_mut(&mut item.then_branch);
                if let Some((_, other)) = &mut item.else_branch {
                    match &mut **other {
                        Expr::Block(block) => self.visit_block_mut(&mut block.block),
                        other => self.visit_expr_mut(other),
                    }
                }
            }
            Expr::While(item) => {
                self.condition(&mut item.cond, false);
                self.visit_block_mut(&mut item.body);
            }
            Expr::Match(item) => self.arms(item),
            Expr::Unary(item) if matches!(item.op, UnOp::Not(_)) => {
                let text = short(&*item);
                visit_mut::visit_expr_mut(self, expr);
                self.flip(expr, span, format!("without the !: {text}"));
            }
            Expr::Macro(item) if item.mac.path.is_ident("matches") => {
                let text = short(&*item);
                self.flip(expr, span, format!("not {text}"));
            }
            Expr::Call(item) => {
                let is_some = matches!(&*item.func, Expr::Path(path) if path.path.is_ident("Some"));
                let text = short(&*item);
                item.args.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
                if is_some && let Some(on) = self.on(span, format!("None for {text}")) {
                    *expr = syn::parse_quote!((#expr.filter(|_| !#on)));
                }
            }
            Expr::Path(item) if item.qself.is_none() && is_constant_name(&item.path) => {
                let name = short(&*item);
                let more = self.on(span, format!("{name} + 1"));
                let tenfold = self.on(span, format!("{name} * 10"));
                if more.is_some() || tenfold.is_some() {
                    let none = || syn::parse_quote!(false);
                    let (more, tenfold): (Expr, Expr) = (more.unwrap_or_else(none), tenfold.unwrap_or_else(none));
                    *expr = syn::parse_quote!((crate::mutant::grown(#expr, #more, #tenfold)));
                }
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
        if is_deletable {
            self.delete(expr, span, text);
        }
    }
}

/// The switch, for the end of `lib.rs`.
pub fn switch() -> String {
    let file = syn::parse2(quote! {
        /// Which mutant acts.
        pub mod mutant {
            use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
            use std::time::Duration;

            const UNREAD: u32 = u32::MAX;
            const REACHED: u32 = u32::MAX - 1;
            const NONE: u32 = u32::MAX - 2;
            static ON: AtomicU32 = AtomicU32::new(UNREAD);

            #[inline]
            pub fn on(number: u32) -> bool {
                let on = ON.load(Ordering::Relaxed);
                on == number || on > NONE && slowly(on, number)
            }

            #[cold]
            fn slowly(on: u32, number: u32) -> bool {
                if on == REACHED {
                    reached(number);
                    return false;
                }
                let on = match std::env::var("MUTANT") {
                    Ok(text) if text == "reached" => REACHED,
                    Ok(text) => text.parse().unwrap_or(NONE),
                    Err(_) => NONE,
                };
                ON.store(on, Ordering::Relaxed);
                on == number
            }

            /// Told on standard error, once for each: this mutant would make a difference, or could.
            fn reached(number: u32) {
                static SEEN: [AtomicBool; 16_384] = [const { AtomicBool::new(false) }; 16_384];
                if !SEEN[number as usize].swap(true, Ordering::Relaxed) {
                    eprintln!("reached {number}");
                }
            }

            /// A constant that is one more, or ten times as much.
            pub trait Grow: Sized {
                fn more(self) -> Self;
                fn tenfold(self) -> Self;
            }

            macro_rules! grow {
                ($($kind:ty)+) => {$(
                    impl Grow for $kind {
                        fn more(self) -> Self { self.saturating_add(1) }
                        fn tenfold(self) -> Self { self.saturating_mul(10) }
                    }
                )+};
            }
            grow!(u8 u16 u32 u64 u128 usize i32 i64);

            impl Grow for Duration {
                fn more(self) -> Self { self + Duration::from_secs(1) }
                fn tenfold(self) -> Self { self * 10 }
            }

            pub fn grown<T: Grow>(value: T, more: bool, tenfold: bool) -> T {
                if more { value.more() } else if tenfold { value.tenfold() } else { value }
            }
        }
    });
    prettyplease::unparse(&file.expect("the switch parses"))
}

/// Where each mutant's branch is in a woven text.
pub fn places(text: &str) -> Vec<(usize, Place)> {
    #[derive(Default)]
    struct Finder {
        around: Vec<Place>,
        found: Vec<(usize, Place)>,
    }
    impl<'ast> Visit<'ast> for Finder {
        fn visit_expr_paren(&mut self, item: &'ast syn::ExprParen) {
            self.around.push(place(item.span()));
            visit::visit_expr_paren(self, item);
            self.around.pop();
        }

        fn visit_expr_call(&mut self, item: &'ast syn::ExprCall) {
            if let Expr::Path(path) = &*item.func
                && path.path.segments.len() == 3
                && path.path.segments[1].ident == "mutant"
                && path.path.segments[2].ident == "on"
                && let Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) = item.args.first()
            {
                let around = self.around.last().expect("every branch is in brackets");
                self.found.push((number.base10_parse().expect("a number"), *around));
            }
            visit::visit_expr_call(self, item);
        }
    }
    let mut finder = Finder::default();
    finder.visit_file(&syn::parse_file(text).expect("what was woven parses"));
    finder.found
}
