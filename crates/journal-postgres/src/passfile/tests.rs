use super::find;

#[test]
fn first_fitting_line_gives_the_password() {
    let file = "# a comment\nother:5432:db:me:no\nhost:5432:db:me:colon\\:and\\\\slash\n*:*:*:me:any\n";
    let check = |host: &str, user: &str, expected: Option<&str>| {
        let wanted = [host, "5432", "db", user].map(str::to_owned);
        assert_eq!(find(file, &wanted).as_deref(), expected, "{host} {user}");
    };
    check("host", "me", Some("colon:and\\slash"));
    check("elsewhere", "me", Some("any"));
    check("host", "you", None);
}
