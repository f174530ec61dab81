using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

/// <summary>Bad input gets a clear sentence and the right exit code. A line here is all that a new case needs.</summary>
public class HostileInputTests
{
    public static TheoryData<string, int, string> Lines => new()
    {
        { "bogus", 2, "knows no verb 'bogus'" },
        { "rebuidl db.t", 2, "did you mean rebuild?" },
        { "--output json", 2, "A verb is missing" },
        { "--outptu json runs", 2, "did you mean --output?" },
        { "runs --output yaml", 2, "'yaml' is none of text, json" },
        { "runs --output", 2, "--output needs text|json" },
        { "migrations", 2, "A verb is missing: write one of list, show" },
        { "migrations hitsory", 2, "did you mean history?" },
        { "migrations run", 2, "`godwit migrations run` needs MIGRATION" },
        { "migrations list", 2, "Nothing says where the migrations are" },
        { "migrations list --migrations /no/such/folder", 2, "There is no file or folder /no/such/folder" },
        { "migrations list --migrations . --app-version new", 2, "'new' is not a version such as 1.42.0" },
        { "migrations run a --migrations . --set days --yes", 2, "--set days: write NAME=VALUE" },
        { "migrations run a --migrations . --set a=1 --set a=2 --yes", 2, "a was given twice" },
        { "migrations run a --migrations .", 2, "add --yes to start" },
        { "migrations new a/b", 2, "'a/b' is no name of a migration" },
        { "migrations new a --migrations /no/such/folder", 2, "There is no folder /no/such/folder" },
        { "check --migrations .", 2, "Nothing says to which version" },
        { "settings --set speed=9", 2, "There is no setting speed" },
        { "settings --set autoStart=perhaps", 2, "'perhaps' is not true or false" },
        { "settings --set notify=ftp://a", 2, "notify: Address 1 cannot be notified" },
        { "settings --test-notify --audit", 2, "show different things" },
        { "settings --unset speed", 2, "There is no setting speed" },
        { "runs --state postgresql://u:secret@host/db", 2, "--state holds a password" },
        { "migrations list --migrations . --postgres postgresql://u:secret@host/db", 2, "--postgres holds a password" },
        { "migrations list --migrations . --postgres mysql://host/db", 2, "--postgres: 'mysql://host/db' is not an address such as" },
        { "migrations list --migrations . --node ch2:8123", 2, "--node needs --cluster" },
        { "migrations list --migrations . --cluster c --node ch2", 2, "is not a host and the port of its HTTP interface" },
        { "runs --state postgresql://host", 2, "is not an address such as postgresql://" },
        { "runs extra", 2, "no further argument 'extra'" },
        { "pause", 2, "needs RUN" },
        { "pause nosuch", 2, "There is no run nosuch" },
        { "status k3", 2, "2 runs begin with 'k3'" },
        { "rebuild", 2, "needs DB.TABLE" },
        { "rebuild db.t", 2, "Nothing says what the table is to become" },
        { "rebuild t --order-by a --yes", 2, "names no database" },
        { "rebuild a.b.c --order-by a --yes", 2, "has 3 parts" },
        { "rebuild db.t --order-by a", 2, "add --yes" },
        { "rebuild db.t --order-by a --order-by b", 2, "--order-by was given 2 times" },
        { "rebuild db.t --order-by", 2, "--order-by needs EXPR" },
        { "rebuild db.t --order-by  --yes", 2, "must not be empty" },
        { "rebuild db.t --ddl /no/such/file --yes", 2, "/no/such/file does not exist" },
        { "rebuild db.t --ddl / --yes", 2, "is a directory" },
        { "rebuild db.t --ddl /dev/null --yes", 2, "is empty" },
        { "rebuild db.t --ddl /dev/zero --yes", 2, "is larger than 1024 KiB" },
        { "rebuild db.t --ddl /no/such/file --engine Log --yes", 2, "--ddl holds the whole definition" },
        { "rebuild db.t --setting x --yes", 2, "'x' is not a setting" },
        { "rebuild db.t --ttl a --strategy fast --yes", 2, "'fast' is none of auto, block-log, pause-feed, second-consumer, static" },
        { "rebuild db.t --ttl a --min-free-disk 10XB --yes", 2, "'10XB' is not a size" },
        { "rebuild db.t --ttl a --memory 1 --yes", 2, "--memory must be at least 64MB" },
        { "rebuild db.t --ttl a --rollback-window soon --yes", 2, "'soon' is not a time" },
        { "rebuild db.t --ttl a --threads many --yes", 2, "'many' is not a whole number" },
        { "rebuild db.t --ttl a --threads 0 --yes", 2, "--threads must be between" },
        { "rebuild db.t --ttl a --max-parts 99999999999 --yes", 2, "too large a number" },
        { "rebuild db.t --ttl a --max-rows-per-second 0 --yes", 2, "at least 1" },
        { "rebuild db.t --ttl a --detach --start-window tonight --yes", 2, "--start-window must be a time of the day in UTC such as 22:00-06:00" },
        { "rebuild db.t --ttl a --start-window 22:00-06:00 --yes", 2, "--start-window is for workers" },
        { "rebuild db.t --ttl a --yes --server nonsense", 2, "not the URL of a ClickHouse server" },
        { "rebuild db.t --ttl a --yes --server tcp://h:9000", 2, "Only http and https" },
        { "rebuild db.t --ttl a --yes --password-file /no/such/file", 2, "--password-file: /no/such/file does not exist" },
        { "rebuild db.t --ttl a --yes --ca-certificate /no/such/file", 2, "CA certificate file /no/such/file" },
        { "doctor nonsense", 2, "names no database" },
        { "compare db.t", 2, "`godwit compare` needs B." },
        { "compare nonsense db./x", 2, "names no database" },
        { "compare db.t db.u --limit 0", 2, "The limit 0 is not a number from 1 to 1000." },
        { "compare db.t db.u --where (", 2, "its brackets do not match" },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task Bad_input_gets_a_sentence_an_exit_code_and_changes_nothing(string line, int exitCode, string sentence)
    {
        var fake = new FakeMigrator();
        var run = await CliRun.Of(line.Split(' '), fake, ct: TestContext.Current.CancellationToken);
        run.ExitCode.ShouldBe(exitCode, run.Error);
        run.Error.ShouldContain(sentence);
        run.Error.ShouldNotContain("   at ");
        fake.Calls.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task Bad_input_is_one_document_with_json(string line, int exitCode, string sentence)
    {
        // Where the line is about --output itself, the last one counts as twice given.
        string[] args = line.Contains("--output", StringComparison.Ordinal) ? line.Split(' ') : [.. line.Split(' '), "--output", "json"];
        var run = await CliRun.Of(args, new FakeMigrator(), ct: TestContext.Current.CancellationToken);
        if (args.Contains("json") && args.Contains("--output"))
        {
            run.ShouldBeOneDocument(exitCode);
            run.Document().GetProperty("error").GetProperty("code").GetString().ShouldBe("usage");
        }

        run.ExitCode.ShouldBe(exitCode);
        sentence.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task All_problems_are_told_at_once()
    {
        var run = await CliRun.Of(
            ["rebuild", "t", "--ddl", "/no/such/file", "--setting", "x", "--threads", "0", "--server", "tcp://x", "--output", "json"],
            new FakeMigrator(),
            ct: TestContext.Current.CancellationToken);
        run.Document().GetProperty("error").GetProperty("problems").GetArrayLength().ShouldBe(7, run.Error);
    }

    [Fact]
    public async Task Without_a_home_the_state_file_must_be_named()
    {
        var run = await CliRun.Of(["runs"], new FakeMigrator(), variables: [], ct: TestContext.Current.CancellationToken);
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("--state FILE");
    }
}
