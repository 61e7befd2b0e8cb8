//! What reading and writing a charge costs: `cargo bench -p dialect`. Prints the best of many rounds.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Instant;

use dialect::{AmountText, Fraction, NumberAmount, TextAmount, print_instant, read_amount, read_json};
use domain::{Nanos, Timestamp};
use serde::{Deserialize, Serialize};

const CHARGES: usize = 1000;
const ROUNDS: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading is measured")]
struct Charge<'a, Amount> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    amount: Amount,
    #[serde(borrow)]
    product: Cow<'a, str>,
    quantity: Amount,
    #[serde(borrow)]
    key: Cow<'a, str>,
}

#[derive(Serialize)]
struct Outcome<Amount> {
    status: &'static str,
    charged: Amount,
    balance: Amount,
    available: Amount,
}

fn measure(what: &str, mut work: impl FnMut()) {
    let round = |()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let best = std::iter::repeat_n((), ROUNDS).map(round).min().expect("there are rounds");
    println!("{what:40} {:>5} ns", best.as_nanos() / CHARGES as u128);
}

fn batch(quote: &str) -> String {
    let charge = |index: usize| {
        format!(
            r#"{{"account":"e8ab{index:04x}","amount":{quote}0.0012{quote},"product":"tokens","quantity":{quote}{}{quote},"key":"b6e5b6a0-5b0e-4b60-9e47-{index:012}"}}"#,
            100 + index
        )
    };
    format!("[{}]", (0..CHARGES).map(charge).collect::<Vec<_>>().join(","))
}

fn outcomes<Amount: From<Nanos>>(amounts: &[Nanos]) -> Vec<Outcome<Amount>> {
    let outcome = |&amount: &Nanos| Outcome {
        status: "charged",
        charged: amount.into(),
        balance: amount.into(),
        available: amount.into(),
    };
    amounts.iter().map(outcome).collect()
}

fn main() {
    let (strings, numbers) = (batch("\""), batch(""));
    println!("{CHARGES} charges of {} bytes", strings.len() / CHARGES);
    measure("read, amounts as strings", || {
        black_box(read_json::<Vec<Charge<'_, TextAmount>>>(strings.as_bytes()).expect("a batch"));
    });
    measure("read, amounts as numbers", || {
        black_box(read_json::<Vec<Charge<'_, NumberAmount>>>(numbers.as_bytes()).expect("a batch"));
    });
    let amounts: Vec<Nanos> =
        (0..CHARGES as i128).map(|index| Nanos::new(1_200_000 + index * 1_000_000)).collect();
    let (texts, tokens) = (outcomes::<TextAmount>(&amounts), outcomes::<NumberAmount>(&amounts));
    let mut buffer = Vec::with_capacity(256 * CHARGES);
    measure("write, three amounts as strings", || {
        buffer.clear();
        serde_json::to_writer(&mut buffer, black_box(&texts)).expect("memory takes it");
    });
    measure("write, three amounts as numbers", || {
        buffer.clear();
        serde_json::to_writer(&mut buffer, black_box(&tokens)).expect("memory takes it");
    });
    measure("one amount read", || {
        (0..CHARGES).for_each(|_| _ = black_box(read_amount(black_box("0.0012"))));
    });
    measure("one amount printed", || {
        amounts.iter().for_each(|&amount| _ = black_box(AmountText::new(amount, 0)));
    });
    measure("one instant printed", || {
        let instant = black_box(Timestamp::from_secs(1_724_854_292));
        (0..CHARGES).for_each(|_| _ = black_box(print_instant(instant, Fraction::Micros)));
    });
}
