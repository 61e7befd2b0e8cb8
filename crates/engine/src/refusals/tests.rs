use jiff::civil::date;

use super::*;

const HOUR: i64 = 3600;

fn key(day: Date, account: usize) -> RefusalKey {
    let account = AccountIndex::new(account);
    RefusalKey { day, account, currency: Currency::EUR, product: None, credential: None }
}

fn at(hours: i64) -> Timestamp {
    // 1970-01-01 and on.
    Timestamp::from_secs(hours * HOUR)
}

#[test]
fn a_day_is_that_of_the_time_zone() {
    let refusals = Refusals::since(at(0));
    let mut counters = refusals.lock();
    let day = |counters: &mut Counters, zone: &str, hours| counters.day(&zone.into(), at(hours)).unwrap();
    for (zone, hours, expected) in [
        ("UTC", 23, date(1970, 1, 1)),
        ("UTC", 24, date(1970, 1, 2)),
        ("Asia/Tokyo", 14, date(1970, 1, 1)),
        ("Asia/Tokyo", 15, date(1970, 1, 2)),
        // Not later than before: asked again.
        ("Asia/Tokyo", 14, date(1970, 1, 1)),
    ] {
        assert_eq!(day(&mut counters, zone, hours), expected, "{zone} {hours}");
    }
    assert_eq!(counters.day(&"Mars/Olympus".into(), at(0)), None);
}

#[test]
fn the_oldest_day_goes_first_and_what_finds_no_room_is_numbered() {
    let refusals = Refusals::with_room(at(0), 3);
    let (one, two) = (date(1970, 1, 1), date(1970, 1, 2));
    let count = |day, account, hours| {
        let mut counters = refusals.lock();
        counters.day(&"UTC".into(), at(hours));
        counters.count(key(day, account), at(hours));
    };
    count(one, 1, 1);
    count(one, 1, 1);
    count(one, 2, 1);
    count(two, 1, 25);
    assert_eq!(refusals.of_days(one, one), [(key(one, 1), 2), (key(one, 2), 1)]);
    assert_eq!(refusals.counted(), Counted { since: at(0), uncounted: 0 });
    count(two, 2, 26);
    assert_eq!(refusals.of_days(one, two), [(key(two, 1), 1), (key(two, 2), 1)]);
    assert_eq!(refusals.counted(), Counted { since: at(24), uncounted: 0 });
    for account in [3, 4, 4, 1] {
        count(two, account, 27);
    }
    assert_eq!(refusals.of_days(two, two).iter().map(|(_, count)| count).sum::<u64>(), 4);
    assert_eq!(refusals.counted(), Counted { since: at(24), uncounted: 2 });
}

#[test]
fn many_are_copied_slice_by_slice() {
    let refusals = Refusals::since(at(0));
    let day = date(1970, 1, 1);
    for account in 0..3 * SLICE {
        refusals.lock().count(key(day, account), at(0));
    }
    assert_eq!(refusals.of_days(day, day).len(), 3 * SLICE);
}
