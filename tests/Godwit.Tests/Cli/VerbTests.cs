using System.Text.Json;
using Godwit.Checks;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Tests.Metadata;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

public class VerbTests
{
    private static readonly string[] Rebuild = ["rebuild", "db.t", "--order-by", "(a, b)", "--yes"];

    public static TheoryData<string, RunState, int> Endings => new()
    {
        { "rebuild db.t --order-by a --yes", RunState.Completed, 0 },
        { "rebuild db.t --order-by a --yes", RunState.NotRequired, 0 },
        { "rebuild db.t --order-by a --yes", RunState.AwaitingCutover, 0 },
        { "rebuild db.t --order-by a --yes", RunState.Failed, 1 },
        { "rebuild db.t --order-by a --yes", RunState.FailedAtStartup, 1 },
        { "rebuild db.t --order-by a --yes", RunState.RolledBack, 1 },
        { "rebuild db.t --order-by a --yes", RunState.NeedsOperator, 4 },
        { "rebuild db.t --order-by a --yes", RunState.Paused, 130 },
        { "resume k3f", RunState.Completed, 0 },
        { "resume k3f", RunState.Paused, 130 },
        { "cutover k3f", RunState.Completed, 0 },
        { "rollback k3f", RunState.RolledBack, 0 },
        { "rollback k3f", RunState.Failed, 1 },
        { "rollback k3f", RunState.NeedsOperator, 4 },
        { "cleanup k3f", RunState.Completed, 0 },
        { "pause k3f", RunState.Paused, 0 },
        { "stop k3f", RunState.Paused, 0 },
        { "limit k3f 200000", RunState.Running, 0 },
        { "status k3f", RunState.Failed, 0 },
        { "status", RunState.NeedsOperator, 0 },
        { "status --watch", RunState.Completed, 0 },
        { "errors k3f", RunState.Failed, 0 },
        { "runs", RunState.Failed, 0 },
        { "doctor db.t", RunState.Completed, 0 },
        { "compare db.t db./^t_/", RunState.Completed, 0 },
    };

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task The_exit_code_follows_the_state_in_text_and_json(string line, RunState state, int exitCode)
    {
        var fake = new FakeMigrator { Status = CliSamples.Status(state) };
        var text = await CliRun.Of(line.Split(' '), fake, ct: TestContext.Current.CancellationToken);
        text.ExitCode.ShouldBe(exitCode, text.Error);
        text.Out.ShouldNotBeEmpty();
        var json = await CliRun.Of([.. line.Split(' '), "--output", "json"], fake, ct: TestContext.Current.CancellationToken);
        json.ShouldBeOneDocument(exitCode);
        if (exitCode == 130)
        {
            text.Error.ShouldContain("`godwit resume k3f9a2b1`");
        }
    }

    public static TheoryData<Exception, int, string> Failures => new()
    {
        { new InvalidRequestException(["One.", "Two."]), 2, "usage" },
        { new RefusedException([new CheckResult("disk", CheckVerdict.Refused, "Too full.")]), 3, "refused" },
        { new WrongStateException("Wrong."), 3, "refused" },
        { new RunConflictException("Other.", "x"), 3, "refused" },
        { new RunNotFoundException("x"), 2, "usage" },
        { new StoreException("Disk."), 1, "failed" },
        { new StoredFormatException("Version."), 1, "failed" },
        { new LeaseHeldException(new Lease("x", "me", 1, StoreSamples.Noon)), 3, "refused" },
        { new LeaseLostException(new Lease("x", "me", 1, StoreSamples.Noon)), 1, "failed" },
        { new OperationCanceledException(), 130, "interrupted" },
        { new InvalidTimeZoneException("Odd."), 1, "failed" },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public async Task What_is_thrown_becomes_a_sentence_an_exit_code_and_one_document(Exception thrown, int exitCode, string code)
    {
        foreach (var line in new[] { "resume k3f", "rollback k3f", "pause k3f", "stop k3f", "cutover k3f", "cleanup k3f", "status k3f", "errors k3f", "doctor db.t", "compare db.t db.t2", string.Join(' ', Rebuild).Replace(", ", ",", StringComparison.Ordinal) })
        {
            var run = await CliRun.Of([.. line.Split(' '), "--output=json"], new FakeMigrator { Throws = thrown }, ct: TestContext.Current.CancellationToken);
            run.ShouldBeOneDocument(exitCode);
            run.Document().GetProperty("error").GetProperty("code").GetString().ShouldBe(code);
            run.Error.ShouldNotContain("   at ");
        }
    }

    [Fact]
    public async Task Status_as_json_has_the_fields_of_the_contract()
    {
        var run = await CliRun.Of(["status", "k3f", "--output", "json"], new FakeMigrator(), ct: TestContext.Current.CancellationToken);
        var document = run.Document();
        foreach (var field in "runId table state strategy steps rowsCopied rowsTotal rowsPerSecond etaSeconds brake currentQueryId errors".Split(' '))
        {
            document.TryGetProperty(field, out _).ShouldBeTrue(field);
        }

        document.GetProperty("state").GetString().ShouldBe("Completed");
        var step = document.GetProperty("steps")[1];
        foreach (var field in "index kind node state rowsDone rowsTotal".Split(' '))
        {
            step.TryGetProperty(field, out _).ShouldBeTrue(field);
        }
    }

    [Fact]
    public async Task The_options_of_rebuild_reach_the_migrator()
    {
        var fake = new FakeMigrator();
        var run = await CliRun.Of(
            [.. Rebuild, "--sample-by", "-a", "--add-column", "c String", "--add-column", "d UInt8", "--setting", "k=a=b", "--accept", "key-identity",
                "--strategy", "static", "--memory", "2GiB", "--min-free-disk", "10GB", "--rollback-window", "7d", "--defer-cutover",
                "--detach", "--start-window", "22:00-06:00", "--max-rows-per-second", "1000", "--max-parts", "9", "--brake-sql", "SELECT 0", "--threads", "4", "--server", "https://me:pw@h"],
            fake,
            ct: TestContext.Current.CancellationToken);
        run.ExitCode.ShouldBe(0, run.Error);
        fake.Calls.ShouldBe(["propose", "create", "queue k3f9a2b1", "status k3f9a2b1"]);
        fake.Request.ShouldNotBeNull().ShouldSatisfyAllConditions(
            r => r.OrderBy.ShouldBe("(a, b)"),
            r => r.SampleBy.ShouldBe("-a"),
            r => r.AddColumns.ShouldBe(["c String", "d UInt8"]),
            r => r.Settings.ShouldBe(["k=a=b"]),
            r => r.Accept.ShouldBe(["key-identity"]),
            r => r.Strategy.ShouldBe("static"));
        fake.Options.ShouldNotBeNull().ShouldSatisfyAllConditions(
            o => o.Memory.ShouldBe(2L << 30),
            o => o.MinFreeDisk.ShouldBe(10_000_000_000),
            o => o.RollbackWindow.ShouldBe(TimeSpan.FromDays(7)),
            o => o.DeferCutover.ShouldBeTrue(),
            o => o.DropRetired.ShouldBeFalse(),
            o => o.StartWindow.ShouldBe("22:00-06:00"),
            o => (o.MaxRowsPerSecond, o.MaxParts, o.Threads).ShouldBe((1000L, 9, 4)),
            o => o.BrakeSql.ShouldBe(["SELECT 0"]));
        fake.Server!.Url.Port.ShouldBe(8443);
        (run.Out + run.Error).ShouldNotContain("pw");
    }

    [Theory]
    [InlineData("rebuild", "db.t", "--order-by", "a", "--yes")]
    [InlineData("resume", "k3f")]
    [InlineData("cutover", "k3f")]
    [InlineData("rollback", "k3f")]
    public async Task The_folder_of_hooks_reaches_every_verb_that_may_work_on_a_run(params string[] verb)
    {
        var fake = new FakeMigrator();
        await CliRun.Of([.. verb, "--hooks", "/etc/hooks"], fake, ct: TestContext.Current.CancellationToken);
        fake.MigratorOptions.ShouldNotBeNull().HookFolder.ShouldBe("/etc/hooks");
    }

    [Fact]
    public async Task Plan_prints_and_stops_and_is_one_document()
    {
        var fake = new FakeMigrator();
        var plan = fake.Proposal.Plan!;
        fake.Proposal = fake.Proposal with { Plan = plan with { Steps = [.. plan.Steps.Select(s => s with { Arguments = default })] } };
        var json = await CliRun.Of(["rebuild", "db.t", "--order-by", "a", "--plan", "--output", "json"], fake, ct: TestContext.Current.CancellationToken);
        json.ShouldBeOneDocument(0);
        json.Document().GetProperty("plan").GetProperty("steps").GetArrayLength().ShouldBe(2);
        json.Document().GetProperty("checks")[0].GetProperty("verdict").GetString().ShouldBe("Ok");
        var text = await CliRun.Of(["rebuild", "db.t", "--order-by", "a", "--plan"], fake, ct: TestContext.Current.CancellationToken);
        text.Out.ShouldContain("block-log");
        text.Out.ShouldContain("Because it's \"so\".");
        fake.Calls.ShouldBe(["propose", "propose"]);
    }

    [Fact]
    public async Task A_blocking_check_refuses_with_and_without_plan()
    {
        var fake = new FakeMigrator
        {
            Proposal = new Proposal(null, [new CheckResult("disk", CheckVerdict.Unreadable, "Nobody knows."), new CheckResult("key", CheckVerdict.Refused, "Not so.")]),
        };
        foreach (var flag in new[] { "--plan", "--yes" })
        {
            var run = await CliRun.Of(["rebuild", "db.t", "--order-by", "a", flag, "--output", "json"], fake, ct: TestContext.Current.CancellationToken);
            run.ShouldBeOneDocument(3);
            run.Document().GetProperty("error").GetProperty("problems").GetArrayLength().ShouldBe(2);
            run.Document().GetProperty("plan").ValueKind.ShouldBe(JsonValueKind.Null);
        }

        fake.Calls.ShouldNotContain("create");
    }

    [Theory]
    [InlineData("y\n", 0, 3)]
    [InlineData("yes\n", 0, 3)]
    [InlineData("n\n", 130, 1)]
    [InlineData("\n", 130, 1)]
    [InlineData("", 130, 1)]
    public async Task A_person_is_asked_before_anything_starts(string answer, int exitCode, int calls)
    {
        var fake = new FakeMigrator();
        var run = await CliRun.Of(["rebuild", "db.t", "--order-by", "a"], fake, answer, ct: TestContext.Current.CancellationToken);
        run.Error.ShouldContain("Start? [y/N]");
        run.ExitCode.ShouldBe(exitCode, run.Error);
        fake.Calls.Count.ShouldBe(calls);
    }

    [Fact]
    public async Task Doctor_exits_with_3_when_a_check_blocks()
    {
        var fake = new FakeMigrator
        {
            Checks = [new("a", CheckVerdict.Ok, "Fine."), new("b", CheckVerdict.Warning, "Hm [see]."), new("c", CheckVerdict.Refused, "No: do this.")],
        };
        var run = await CliRun.Of(["doctor", "db.t"], fake, ct: TestContext.Current.CancellationToken);
        run.ExitCode.ShouldBe(3);
        run.Out.ShouldContain("✓");
        run.Out.ShouldContain("Hm [see].");
        run.Out.ShouldContain("✗");
        run.Out.ShouldEndWith("What is marked ✗ is in the way of a rebuild. Options that are named here are those of `godwit rebuild`.\n");
    }

    [Fact]
    public async Task The_options_of_compare_reach_the_migrator()
    {
        var fake = new FakeMigrator();
        var run = await CliRun.Of(
            ["compare", "\"my.db\".t", "db./^t_[0-9]+/", "--by", "team", "--by", "we`ird", "--day", "at", "--id", "uuid", "--where", "team = 2", "--limit", "5", "--output", "json"], fake, ct: TestContext.Current.CancellationToken);

        run.ShouldBeOneDocument(0);
        var request = fake.ComparisonRequest.ShouldNotBeNull();
        (request.A.ToString(), request.B.ToString(), request.Day, request.Id, request.Where, request.Limit).ShouldBe(("\"my.db\".t", "db./^t_[0-9]+/", "at", "uuid", "team = 2", 5));
        request.By.ShouldBe(["team", "we`ird"]);
        var document = run.Document();
        document.GetProperty("isSame").GetBoolean().ShouldBeFalse();
        document.GetProperty("rows").GetProperty("difference").GetInt64().ShouldBe(-10);
        var cut = document.GetProperty("cuts")[2];
        (cut.GetProperty("kind").GetString(), cut.GetProperty("rows")[0].GetProperty("key").ValueKind, cut.GetProperty("rows")[1].GetProperty("key").GetString()).ShouldBe(("Column", JsonValueKind.Null, ""));
    }

    [Fact]
    public async Task A_comparison_is_shown_with_its_largest_differences_and_how_many_more_there_are()
    {
        var run = await CliRun.Of(["compare", "db.t", "db.t2"], new FakeMigrator(), ct: TestContext.Current.CancellationToken);

        run.Out.ShouldStartWith(
            """
            A       db.t
            B       db.t2
            Server  host:8123
            Where   team_id = 2

                                               A                     B  Difference
            Rows                       1,000,000               999,990         -10
            Rows with uuid             1,000,000               999,990         -10
            Unique uuid                  999,990               999,990           0
            Last timestamp  2026-01-31T23:59:59Z  2026-01-31T23:59:58Z     differs

            By partition (toYYYYMM(timestamp)): the same in all 24 partitions

            By day of timestamp: 3 of 700 days differ
            Day          A   B  Difference
            2026-01-31  30  15         -15
            2026-01-30  10  14          +4
            and 1 more

            By [red]who[/]: 2 of 9 values differ
            Value  A  B  Difference
            NULL   0  2          +2
            ''     1  0          -1

            Rows by url could not be counted on host:8123: Memory limit exceeded.

            who is String in db.t and UInt64 in db.t2; its values are compared as texts.

            db.t2 has 10 rows fewer than db.t (999,990 against 1,000,000); the last timestamp is 2026-01-31T23:59:58Z against 2026-01-31T23:59:59Z;
            """);
        run.Out.ReplaceLineEndings(" ").ShouldEndWith(
            "uuid has 999,990 unique values in 999,990 rows against 999,990 in 1,000,000 rows; 3 of 700 days of timestamp differ; 2 of 9 values of [red]who[/] differ; values of url could not be counted. ");
    }

    [Fact]
    public async Task A_cancelled_watch_shows_what_was_seen_last()
    {
        var fake = new FakeMigrator { Status = CliSamples.Status(RunState.Running) };
        var run = await CliRun.Of(["status", "--watch", "--output", "json"], fake, ct: new CancellationToken(canceled: true));
        run.ShouldBeOneDocument(0);
        run.Document().GetProperty("state").GetString().ShouldBe("Running");
        run.Error.ShouldNotContain("Stopping");
    }

    [Fact]
    public async Task Ctrl_C_while_a_run_is_worked_on_says_that_it_is_stopping_and_how_to_go_on()
    {
        var fake = new FakeMigrator { Status = CliSamples.Status(RunState.Paused) };
        var run = await CliRun.Of(["resume", "k3f"], fake, ct: new CancellationToken(canceled: true));
        run.ExitCode.ShouldBe(130);
        run.Error.ShouldContain("Stopping");
        run.Error.ShouldContain("`godwit resume k3f9a2b1` goes on");
    }
}
