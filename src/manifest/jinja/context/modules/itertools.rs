//! Python's `itertools`; what is lazy there is a list here.

use std::sync::Arc;

use minijinja::value::{Kwargs, Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::manifest::jinja::limits::pay_for_items;
use crate::manifest::jinja::native::{Kind, refused};
use crate::manifest::jinja::scope::Scope;
use crate::manifest::jinja::values::List;

pub const ITERTOOLS: Kind = Kind { name: "itertools", method: call, ..Kind::PLAIN };

/// More than a template means to make.
const MOST_ITEMS: usize = 1_000_000;

fn call(_scope: &Arc<Scope>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (lists, options) = split(args)?;
    let made = made(method, (lists, &options))?;
    pay_for_items(state, made.len().unwrap_or_default().saturating_mul(8 * args.len()))?;
    Ok(made)
}

fn made(method: &str, (lists, options): (&[Value], &Kwargs)) -> Result<Value, Error> {
    match method {
        "chain" => Ok(List::value(items(lists)?.concat())),
        "product" => {
            let repeat = options.get::<Option<usize>>("repeat")?.unwrap_or(1);
            let once = items(lists)?;
            let lists: Vec<Vec<Value>> = (0..repeat).flat_map(|_| once.clone()).collect();
            tuples(product(&lists)?)
        }
        "combinations" | "permutations" | "combinations_with_replacement" => {
            let (list, size): (Value, Option<usize>) = from_args(lists)?;
            let list: Vec<Value> = list.try_iter()?.collect();
            let size = size.or(options.get::<Option<usize>>("r")?).unwrap_or(list.len());
            let places: Vec<Value> = (0..list.len()).map(Value::from).collect();
            let chosen = product(&vec![places; size])?;
            let places = |tuple: &[Value]| tuple.iter().filter_map(Value::as_usize).collect::<Vec<_>>();
            let fits = |places: &[usize]| match method {
                "combinations" => places.is_sorted_by(|a, b| a < b),
                "permutations" => places.iter().enumerate().all(|(at, place)| !places[..at].contains(place)),
                _ => places.is_sorted(),
            };
            let of = |places: Vec<usize>| places.into_iter().map(|place| list[place].clone()).collect();
            tuples(chosen.iter().map(|tuple| places(tuple)).filter(|places| fits(places)).map(of).collect())
        }
        "zip_longest" => {
            let fill = options.get::<Option<Value>>("fillvalue")?.unwrap_or(Value::from(()));
            let lists = items(lists)?;
            let length = lists.iter().map(Vec::len).max().unwrap_or_default();
            let row = |at: usize| lists.iter().map(|list| list.get(at).unwrap_or(&fill).clone()).collect();
            tuples((0..length).map(row).collect())
        }
        "islice" => {
            let (list, first, second): (Value, usize, Option<usize>) = from_args(lists)?;
            let (start, end) = second.map_or((0, first), |second| (first, second));
            Ok(List::value(list.try_iter()?.take(end).skip(start).collect()))
        }
        "repeat" => {
            let (item, times): (Value, usize) = from_args(lists)?;
            Ok(List::value(vec![item; times.min(MOST_ITEMS)]))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn split(args: &[Value]) -> Result<(&[Value], Kwargs), Error> {
    match args.split_last() {
        Some((last, before)) if last.is_kwargs() => Ok((before, Kwargs::try_from(last.clone())?)),
        Some(_) | None => Ok((args, Kwargs::from_iter(std::iter::empty::<(&str, Value)>()))),
    }
}

fn items(lists: &[Value]) -> Result<Vec<Vec<Value>>, Error> {
    lists.iter().map(|list| Ok(list.try_iter()?.collect())).collect()
}

fn product(lists: &[Vec<Value>]) -> Result<Vec<Vec<Value>>, Error> {
    let mut tuples: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        if tuples.len().saturating_mul(list.len()) > MOST_ITEMS {
            return Err(refused("this makes more than a million items"));
        }
        tuples = tuples
            .iter()
            .flat_map(|tuple| list.iter().map(move |item| tuple.iter().chain([item]).cloned().collect()))
            .collect();
    }
    Ok(tuples)
}

#[expect(clippy::unnecessary_wraps, reason = "every arm gives a result")]
fn tuples(rows: Vec<Vec<Value>>) -> Result<Value, Error> {
    Ok(List::value(rows.into_iter().map(|row| Value::from(Tuple::from(row))).collect()))
}
