using System.Diagnostics;
using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Hooks;
using Godwit.Notifications;
using Godwit.Rebuild;
using Godwit.Tests.Notifications;
using Shouldly;
using Xunit;
using HookCall = Godwit.Hooks.HookCall;

namespace Godwit.Tests.Hooks;

/// <summary>How hooks are written, and what becomes of addresses and commands that are called.</summary>
public sealed class HookTests : IDisposable
{
    private readonly HookFolder _folder = new();
    private readonly ClickHouseGateway _gateway = new(new ClickHouseOptions { Url = new Uri("http://127.0.0.1:1") });

    /// <summary>What is written, and what is said of it.</summary>
    public static TheoryData<string, string> Wrong => new()
    {
        { "", "is no hook: write sql:STATEMENT" },
        { "systemctl stop ingest", "is no hook" },
        { "sql:", "holds no whole statement" },
        { "sql:SELECT (1", "holds no whole statement" },
        { "command:", "names no command" },
        { "command:../pause", "names no command" },
        { "command:/bin/sh", "names no command" },
        { "command:pause now", "names no command" },
        { "command:.pause", "names no command" },
        { "command:-c", "names no command" },
        { "command:pause\n", "names no command" },
        { "command:" + new string('a', 101), "names no command" },
        { "https://ingest/pause?token=S3CRET", "write it into a variable or a file" },
        { "https://ada:S3CRET@ingest/pause", "holds a login" },
        { "https:///pause", "is no address of a webhook" },
        { "env:S3CRET VALUE", "names no environment variable" },
        { "file:pause", "names no file" },
        { "env", "names no environment variable" },
        { "ftp://ingest/pause", "is no hook" },
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_no_hook_is_told_without_repeating_what_may_be_secret(string written, string sentence)
    {
        List<string> problems = [];

        Hook.Read(written, problems).ShouldBeNull();

        string.Join(' ', problems).ShouldSatisfyAllConditions(p => p.ShouldContain(sentence), p => p.ShouldNotContain("S3CRET"));
    }

    [Theory]
    [InlineData("sql:SYSTEM STOP FETCHES db.t", "sql:SYSTEM STOP FETCHES db.t")]
    [InlineData("https://ingest:8443/hooks/S3CRET", "https://ingest:8443/…")]
    [InlineData("env:PAUSE_URL", "env:PAUSE_URL")]
    [InlineData("file:/run/secrets/pause", "file:/run/secrets/pause")]
    [InlineData("command:pause-ingest.sh", "command:pause-ingest.sh")]
    public void A_hook_is_shown_without_its_secrets(string written, string shown) => Hook.Read(written, [])!.Shown.ShouldBe(shown);

    [Theory]
    [InlineData("pause", "resume", "auto", 30, "")]
    [InlineData("pause", null, "auto", 30, "belong together")]
    [InlineData(null, "resume", "auto", 30, "belong together")]
    [InlineData("pause", "resume", "block-log", 30, "pauses nobody")]
    [InlineData("pause", "resume", "pause-feed", 0, "between 1s and 1h")]
    [InlineData("pause", "resume", "pause-feed", 3601, "between 1s and 1h")]
    [InlineData("pa/use", "res/ume", "auto", 30, "--pause-hook names no command")]
    public void A_request_says_what_is_wrong_with_its_hooks(string? pause, string? resume, string strategy, int seconds, string sentence)
    {
        string? Command(string? name) => name is null ? null : $"command:{name}";
        var request = new RebuildRequest
        {
            Table = new QualifiedName("db", "t"),
            OrderBy = "a",
            Strategy = strategy,
            PauseHook = Command(pause),
            ResumeHook = Command(resume),
            HookTimeout = TimeSpan.FromSeconds(seconds),
        };

        string.Join(' ', request.Problems()).ShouldSatisfyAllConditions(p => p.ShouldContain(sentence), p => (p.Length == 0).ShouldBe(sentence.Length == 0));
    }

    [Theory]
    [InlineData("command:a", false)]
    [InlineData("sql:SELECT 1", true)]
    [InlineData("https://ingest/", true)]
    [InlineData("env:A", true)]
    public void Whatever_is_not_a_command_reaches_out(string hook, bool reaches) =>
        new RebuildRequest { Table = new QualifiedName("db", "t"), PauseHook = "command:a", ResumeHook = hook }.ReachesOut().ShouldBe(reaches);

    [Fact]
    public async Task An_address_is_told_what_is_to_be_done()
    {
        await using HookSink sink = new();

        await CallAsync(sink.Url.ToString(), "pause");

        var call = sink.Calls.ShouldHaveSingleItem();
        call.First.ShouldBe("POST /hook/S3CRET HTTP/1.1");
        call.Document().ToString().ShouldBe("""{"action":"pause","table":"db.t","run":"k3f9a2b1"}""");
    }

    [Fact]
    public async Task An_address_that_refuses_is_no_pause()
    {
        await using HookSink sink = new() { Answer = _ => HookSink.Say(404, "no_such_table") };

        (await Should.ThrowAsync<HookException>(() => CallAsync(sink.Url.ToString()))).Message.ShouldContain("it answered with HTTP 404 (no_such_table)");
    }

    [Fact]
    public async Task A_command_is_told_what_is_to_be_done_and_not_what_is_secret()
    {
        Environment.SetEnvironmentVariable("PGPASSWORD", "S3CRET");
        Environment.SetEnvironmentVariable("GODWIT_SERVER_OF_A_TEST", "http://ada:S3CRET@clickhouse");
        _folder.Command("pause", """echo "$1 $2 $3 ${PGPASSWORD-none} ${GODWIT_SERVER_OF_A_TEST-none}" > "$0.out" """);

        await CallAsync("command:pause", "resume");

        (await File.ReadAllTextAsync(_folder.File("pause.out"), Ct)).ShouldBe("resume db.t k3f9a2b1 none none\n");
    }

    [Fact]
    public async Task A_command_that_fails_is_told_with_its_last_words()
    {
        _folder.Command("pause", "echo 'no such consumer' >&2\nexit 3");

        (await Should.ThrowAsync<HookException>(() => CallAsync("command:pause"))).Message.ShouldBe("it ended with exit code 3: no such consumer");
    }

    [Fact]
    public async Task A_command_may_leave_something_running()
    {
        _folder.Command("pause", "sleep 600 &\necho $! > \"$0.pid\"");

        await CallAsync("command:pause");

        using var left = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(_folder.File("pause.pid"), Ct), CultureInfo.InvariantCulture));
        left.Kill();
    }

    [Fact]
    public async Task A_command_that_is_given_up_is_ended_with_all_that_it_has_started()
    {
        _folder.Command("pause", "sleep 600 &\necho $! > \"$0.pid\"\nwait");
        using var end = new CancellationTokenSource();
        var pid = _folder.File("pause.pid");
        var call = CallAsync("command:pause", ct: end.Token);
        await Wait.UntilAsync(() => Task.FromResult(File.Exists(pid) && File.ReadAllText(pid).EndsWith('\n')), Ct);

        await end.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => call);
        var child = int.Parse(await File.ReadAllTextAsync(pid, Ct), CultureInfo.InvariantCulture);
        await Wait.UntilAsync(() => Task.FromResult(!File.Exists($"/proc/{child}/cmdline") || File.ReadAllText($"/proc/{child}/cmdline").Length == 0), Ct);
    }

    [Fact]
    public async Task A_command_that_is_not_there_or_without_a_folder_is_told()
    {
        (await Should.ThrowAsync<HookException>(() => CallAsync("command:absent"))).Message.ShouldContain("absent cannot be started");
        (await Should.ThrowAsync<HookException>(() => CallAsync("command:absent", hasFolder: false))).Message.ShouldContain("has no folder of hooks: start it with --hooks FOLDER (GODWIT_HOOKS)");
    }

    public void Dispose()
    {
        _gateway.Dispose();
        _folder.Dispose();
    }

    private Task CallAsync(string hook, string action = "pause", bool hasFolder = true, CancellationToken? ct = null)
    {
        var tools = new HookTools(hasFolder ? _folder.Path : null, new Delivery { Pauses = [] }, TimeProvider.System);
        return Hook.Read(hook, [])!.CallAsync(new HookCall(action, new QualifiedName("db", "t"), "k3f9a2b1", "q", _gateway, tools), ct ?? Ct);
    }
}
