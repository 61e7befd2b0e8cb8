use clap::Args;
use indicatif::ProgressBar;
use journal::{Reader, Tail};

use super::place::{Opened, Place};
use crate::commands::verify::bar;
use crate::failure::Failure;

/// Copy a journal, and the keys beside it, from a directory or database to another.
///
/// What was copied before is not copied again: a copy that was cut short goes on where it ended, and one
/// that is repeated takes what has come meanwhile. In the end the whole copy is read back, each group
/// held against its hash and the chain against the original's. Snapshots are not copied: the first
/// start reads all events.
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// A data directory, whose server must be stopped, or the URL of a database.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// A data directory, made if it is not there, or the URL of a database.
    #[arg(long, value_name = "DIR|URL")]
    to: String,
}

impl Copy {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let (from, to) = (Place::parse(&self.from)?, Place::parse(&self.to)?);
        let books = from.books()?;
        to.ensure(books)?;
        let room = to.books()?;
        let (mut all, mut fresh) = (0, 0);
        for book in 0..books {
            let source = from.open(book)?;
            if book >= room {
                if is_used(&source)? {
                    return Err(Failure::Refused(format!(
                        "{from} has organizations in book {book}, and {to} holds {room} only"
                    )));
                }
                continue;
            }
            let (groups, copied) = copy(&source, &mut to.open(book)?, &from, &to)?;
            (all, fresh) = (all + groups, fresh + copied);
        }
        println!("{to} holds all {all} groups of {from}, {fresh} of them copied now");
        Ok(())
    }
}

/// Whether anything ever happened in it: a book that was only opened has groups without events.
pub(super) fn is_used(source: &Opened) -> Result<bool, Failure> {
    let reading = || "cannot read the journal";
    for group in source.journal().reader().scan(1).map_err(Failure::fault(reading()))? {
        if group.map_err(Failure::fault(reading()))?.header().events > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One book: how many groups it has, and how many of them were copied now.
pub(super) fn copy(
    source: &Opened,
    target: &mut Opened,
    from: &Place,
    to: &Place,
) -> Result<(u64, u64), Failure> {
    let tail = source.journal().tail();
    let reached = target.journal().tail();
    let is_prefix = reached.position <= tail.position && has(&*source.journal().reader(), &reached);
    if !is_prefix {
        return Err(Failure::Refused(format!("{to} holds another journal than {from}")));
    }
    copy_keys(source, target)?;
    let bar = bar();
    bar.set_length(tail.position * 2);
    copy_groups(source, target, &tail, &bar)?;
    check(target, &tail, to, &bar)?;
    bar.finish_and_clear();
    Ok((tail.position, tail.position - reached.position))
}

fn has(reader: &dyn Reader, tail: &Tail) -> bool {
    *tail == Tail::default() || reader.group(tail.position).is_ok_and(|group| group.tail() == *tail)
}

/// Before the groups: texts that are there can be read.
fn copy_keys(source: &Opened, target: &Opened) -> Result<(), Failure> {
    let (keys, vault) = (source.vault().all(), target.vault());
    let cannot = || "cannot copy the keys beside the journal";
    let kept: Vec<_> = keys.iter().filter_map(|(owner, key)| Some((*owner, (*key)?))).collect();
    for keys in kept.chunks(4_096) {
        vault.put(keys).map_err(Failure::fault(cannot()))?;
    }
    let known: std::collections::BTreeMap<_, _> = vault.all().into_iter().collect();
    for (owner, key) in &keys {
        match (key, known.get(owner)) {
            (None, Some(None)) => {}
            (None, _) => vault.destroy(*owner).map_err(Failure::fault(cannot()))?,
            (Some(key), Some(Some(there))) if key == there => {}
            (Some(_), _) => return Err(Failure::fault(cannot())("another key is there already")),
        }
    }
    Ok(())
}

fn copy_groups(source: &Opened, target: &mut Opened, tail: &Tail, bar: &ProgressBar) -> Result<(), Failure> {
    let reached = target.journal().tail().position;
    bar.set_message("copying");
    let reading = || "cannot read the journal";
    for group in source.journal().reader().scan(reached + 1).map_err(Failure::fault(reading()))? {
        let group = group.map_err(Failure::fault(reading()))?;
        target.append(&group)?;
        bar.set_position(group.header().position);
        if group.header().position == tail.position {
            break;
        }
    }
    Ok(())
}

/// The chain covers everything before it.
fn check(target: &Opened, tail: &Tail, to: &Place, bar: &ProgressBar) -> Result<(), Failure> {
    let reading = || format!("cannot read {to}");
    bar.set_message("checking");
    let mut last = Tail::default();
    for group in target.journal().reader().scan(1).map_err(Failure::fault(reading()))? {
        let group = group.map_err(Failure::fault(reading()))?;
        last = group.tail();
        bar.set_position(tail.position + last.position);
    }
    if last == *tail {
        return Ok(());
    }
    Err(Failure::fault(format!("{to} is not a copy"))(format!(
        "it ends at position {} with another chain",
        last.position
    )))
}
