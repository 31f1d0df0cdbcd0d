//! Puts mutants into a source file as branches that a number switches on.
//!
//! Finds no mutants: `cargo mutants` says where they are and what they put in the place of what.
//! What cannot be a branch is left out: constants, which are computed before any switch is set, and
//! whatever no longer parses. `&&` beside a `let` is among the latter: there is no `||` there.

use std::collections::{BTreeMap, BTreeSet};

use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, Expr, Member, Pat, Signature, Stmt};

use crate::list::{Genre, Mutant};

/// What became of one file.
pub struct Woven {
    pub text: String,
    /// The mutants that are in it now.
    pub numbers: BTreeSet<usize>,
    /// Those that are no Rust.
    pub broken: BTreeSet<usize>,
}

/// Weaves the mutants of one file into its text.
/// Mutants of functions that have to be constant are left out.
pub fn weave<'a>(text: &'a str, mutants: &[&'a Mutant], constant: &'a BTreeSet<String>) -> Woven {
    let mut places: BTreeMap<Place, Vec<&'a Mutant>> = BTreeMap::new();
    for mutant in mutants {
        places.entry((mutant.genre, mutant.span.start.line, mutant.span.start.column)).or_default().push(mutant);
    }
    let mut file = syn::parse_file(text).expect("the sources parse");
    let lines = text.lines().collect();
    let mut weaver = Weaver { places, lines, constant, owner: None, numbers: BTreeSet::new(), broken: BTreeSet::new() };
    weaver.visit_file_mut(&mut file);
    // The printer parts the operators of an attribute.
    let text = prettyplease::unparse(&file).replace("= =", "==");
    Woven { text, numbers: weaver.numbers, broken: weaver.broken }
}

/// What kind of mutant starts where: line and column from 1.
type Place = (Genre, usize, usize);

struct Weaver<'a> {
    places: BTreeMap<Place, Vec<&'a Mutant>>,
    lines: Vec<&'a str>,
    constant: &'a BTreeSet<String>,
    /// The type whose methods these are.
    owner: Option<String>,
    numbers: BTreeSet<usize>,
    broken: BTreeSet<usize>,
}

impl<'a> Weaver<'a> {
    fn at(&self, genre: Genre, span: proc_macro2::Span) -> Vec<&'a Mutant> {
        let start = span.start();
        self.places.get(&(genre, start.line, start.column + 1)).cloned().unwrap_or_default()
    }

    /// The condition under which a mutant acts.
    fn on(&mut self, mutant: &Mutant) -> Expr {
        self.numbers.insert(mutant.number);
        let number = proc_macro2::Literal::usize_unsuffixed(mutant.number);
        syn::parse_quote!(crate::mutant::on(#number))
    }

    fn function(&mut self, signature: &mut Signature, block: &mut Block, walk: impl FnOnce(&mut Self, &mut Block)) {
        let Some(first) = block.stmts.first() else { return };
        let name = match &self.owner {
            None => signature.ident.to_string(),
            Some(owner) => format!("{owner}::{}", signature.ident),
        };
        if signature.constness.is_some() && self.constant.contains(&name) {
            return;
        }
        let values = self.at(Genre::FnValue, first.span());
        let before = self.numbers.len();
        walk(self, block);
        let mut stmts: Vec<Stmt> = Vec::new();
        let is_opaque = signature.output.to_token_stream().to_string().contains("impl ");
        for mutant in values {
            if is_opaque {
                // One type for both: none of the iterator is an empty iterator. There is no such way for `once`.
                if mutant.replacement == "::std::iter::empty()"
                    && let Some(Stmt::Expr(tail, None)) = block.stmts.last_mut()
                {
                    let on = self.on(mutant);
                    *tail = syn::parse_quote!((#tail).take(if #on { 0 } else { usize::MAX }));
                }
                continue;
            }
            match syn::parse_str::<Expr>(&mutant.replacement) {
                Ok(value) => {
                    let on = self.on(mutant);
                    stmts.push(syn::parse_quote!(if #on { return #value; }));
                }
                Err(_) => {
                    self.broken.insert(mutant.number);
                }
            }
        }
        block.stmts.splice(0..0, stmts);
        if self.numbers.len() > before {
            // A switch is not known while compiling.
            signature.constness = None;
        }
    }

    /// A tree of operators without brackets. A mutant is what its text means, so that `a && b || c`
    /// is grouped anew.
    fn operators(&mut self, expr: &mut Expr) {
        let mut found = Vec::new();
        let with_let = collect(expr, &mut |span| found.extend(self.at(Genre::BinaryOperator, span)));
        if with_let {
            let Expr::Binary(binary) = expr else { return self.visit_expr_mut(expr) };
            let here = self.at(Genre::BinaryOperator, binary.op.span());
            self.broken.extend(here.iter().map(|mutant| mutant.number));
            self.operators(&mut binary.left);
            self.operators(&mut binary.right);
            return;
        }
        let span = expr.span();
        let variants: Vec<_> = found.into_iter().map(|mutant| (mutant, self.replaced(span, mutant))).collect();
        self.leaves(expr);
        self.choose(expr, variants);
    }

    fn leaves(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Binary(binary) => {
                self.leaves(&mut binary.left);
                self.leaves(&mut binary.right);
            }
            leaf => self.visit_expr_mut(leaf),
        }
    }

    /// The expression at `span` with the mutant's text put in.
    fn replaced(&self, span: proc_macro2::Span, mutant: &Mutant) -> Option<Expr> {
        let (start, end) = (span.start(), span.end());
        let (from, to) = (&mutant.span.start, &mutant.span.end);
        let before = self.text((start.line, start.column), (from.line, from.column - 1));
        let after = self.text((to.line, to.column - 1), (end.line, end.column));
        syn::parse_str(&format!("{before} {} {after}", mutant.replacement)).ok()
    }

    /// Lines from 1, columns from 0.
    fn text(&self, from: (usize, usize), to: (usize, usize)) -> String {
        let mut text = String::new();
        for line in from.0..=to.0 {
            let chars: Vec<char> = self.lines[line - 1].chars().collect();
            let start = if line == from.0 { from.1 } else { 0 };
            let end = if line == to.0 { to.1 } else { chars.len() };
            text.extend(&chars[start..end]);
            text.push('\n');
        }
        text
    }

    fn choose(&mut self, expr: &mut Expr, variants: Vec<(&Mutant, Option<Expr>)>) {
        let mut chosen: Option<Expr> = None;
        for (mutant, variant) in variants {
            let Some(variant) = variant else {
                self.broken.insert(mutant.number);
                continue;
            };
            let on = self.on(mutant);
            let rest = chosen.take().unwrap_or_else(|| syn::parse_quote!({ #expr }));
            chosen = Some(match rest {
                Expr::If(_) => syn::parse_quote!(if #on { #variant } else #rest),
                rest => syn::parse_quote!(if #on { #variant } else #rest),
            });
        }
        if let Some(chosen) = chosen {
            *expr = syn::parse_quote!((#chosen));
        }
    }
}

/// Calls back for each operator; says whether a `let` is among what they join.
fn collect(expr: &Expr, found: &mut impl FnMut(proc_macro2::Span)) -> bool {
    match expr {
        Expr::Binary(binary) => {
            let left = collect(&binary.left, found);
            found(binary.op.span());
            collect(&binary.right, found) || left
        }
        Expr::Let(_) => true,
        _ => false,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        text == "test" || text == "cfg (test)"
    })
}

impl VisitMut for Weaver<'_> {
    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        if !is_test(&item.attrs) {
            self.function(&mut item.sig, &mut item.block, |it, block| it.visit_block_mut(block));
        }
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        self.owner = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        visit_mut::visit_item_impl_mut(self, item);
        self.owner = None;
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        self.function(&mut item.sig, &mut item.block, |it, block| it.visit_block_mut(block));
    }

    fn visit_trait_item_fn_mut(&mut self, item: &mut syn::TraitItemFn) {
        if let Some(block) = &mut item.default {
            self.function(&mut item.sig, block, |it, block| it.visit_block_mut(block));
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
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}
    fn visit_expr_repeat_mut(&mut self, item: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut item.expr);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Binary(_) => self.operators(expr),
            Expr::Unary(unary) => {
                let found = self.at(Genre::UnaryOperator, unary.op.span());
                let plain = (*unary.expr).clone();
                visit_mut::visit_expr_mut(self, expr);
                let variants = found.into_iter().map(|mutant| (mutant, Some(plain.clone()))).collect();
                self.choose(expr, variants);
            }
            Expr::Struct(literal) => {
                let mut variants = Vec::new();
                for (index, field) in literal.fields.iter().enumerate() {
                    for mutant in self.at(Genre::StructField, field.span()) {
                        let mut without = literal.clone();
                        without.fields = literal
                            .fields
                            .iter()
                            .enumerate()
                            .filter(|(at, _)| *at != index)
                            .map(|(_, field)| field.clone())
                            .collect();
                        debug_assert!(matches!(field.member, Member::Named(_)));
                        if !without.fields.is_empty() {
                            without.fields.push_punct(Default::default());
                        }
                        variants.push((mutant, Some(Expr::Struct(without))));
                    }
                }
                visit_mut::visit_expr_mut(self, expr);
                self.choose(expr, variants);
            }
            Expr::Match(item) => {
                let found: Vec<_> = item
                    .arms
                    .iter()
                    .map(|arm| {
                        let guard = arm.guard.as_ref();
                        let guards = guard.map(|(_, guard)| self.at(Genre::MatchArmGuard, guard.span()));
                        (self.at(Genre::MatchArm, arm.span()), guards.unwrap_or_default())
                    })
                    .collect();
                visit_mut::visit_expr_match_mut(self, item);
                for (arm, (deleted, guards)) in item.arms.iter_mut().zip(found) {
                    for mutant in deleted {
                        let on = self.on(mutant);
                        arm.guard = Some((Default::default(), syn::parse_quote!(!#on)));
                    }
                    for mutant in guards {
                        let on = self.on(mutant);
                        let (_, guard) = arm.guard.as_mut().expect("a guard is replaced where there is one");
                        **guard = if mutant.replacement == "true" {
                            syn::parse_quote!(#on || (#guard))
                        } else {
                            syn::parse_quote!(!#on && (#guard))
                        };
                    }
                }
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// The switch, for the end of `lib.rs`.
pub fn switch() -> String {
    let file = syn::parse2(quote! {
        /// Which mutant acts.
        pub mod mutant {
            pub fn on(number: u32) -> bool {
                static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
                *ON.get_or_init(|| std::env::var("MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)) == number
            }
        }
    });
    prettyplease::unparse(&file.expect("the switch parses"))
}
