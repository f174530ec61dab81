using Godwit.Tests.Notifications;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

/// <summary>Targets are set, shown and tried from the command line, on a real state file, and their secrets stay in it.</summary>
public sealed class NotifySettingsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-notify-");

    private string State => Path.Combine(_folder.FullName, "state.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_secret_is_shown_neither_by_the_settings_nor_by_the_audit_trail()
    {
        foreach (var args in new string[][] { ["--set", "notify=slack+https://hooks.example/S3CRET"], [], ["--audit"], ["--output", "json"], ["--audit", "--output", "json"] })
        {
            var run = await RunAsync(args);

            run.ExitCode.ShouldBe(0, run.Error);
            run.Out.ShouldContain("slack+https://hooks.example/…");
            (run.Out + run.Error).ShouldNotContain("S3CRET");
        }
    }

    [Fact]
    public async Task What_is_shown_cannot_be_set_by_mistake()
    {
        var run = await RunAsync(["--set", "notify=https://hooks.example/…", "--set", "drain=perhaps"]);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("notify: Address 1 is masked");
        run.Error.ShouldContain("'perhaps' is not true or false");
    }

    [Fact]
    public async Task A_test_says_of_each_target_whether_it_took_it()
    {
        await using HookSink good = new();
        await using HookSink bad = new() { Answer = _ => HookSink.Say(404, "no_service") };

        var fine = await RunAsync(["--set", $"notify={good.Url}", "--test-notify"]);
        var mixed = await RunAsync(["--set", $"notify={good.Url} {bad.Url}", "--test-notify"]);
        var json = await RunAsync(["--test-notify", "--output", "json"]);

        fine.ExitCode.ShouldBe(0, fine.Error);
        fine.Out.ShouldContain("took the test");
        mixed.ExitCode.ShouldBe(1);
        mixed.Error.ShouldBe($"godwit: The test did not reach http://127.0.0.1:{bad.Port}/…: it answered with HTTP 404 (no_service): check the address and what it accepts.\n");
        json.ShouldBeOneDocument(1);
        json.Document().GetProperty("targets").EnumerateArray().Select(t => t.GetProperty("problem").GetString()?.Length > 0).ShouldBe([false, true]);
        good.Events.ShouldBe(["test", "test", "test"]);
    }

    [Fact]
    public async Task A_test_without_a_target_says_how_to_name_one()
    {
        var run = await RunAsync(["--set", "notify=", "--test-notify"]);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("The setting notify names nobody: set it first");
    }

    private Task<CliRun> RunAsync(string[] args) => CliRun.Of(["settings", .. args, "--state", State], ct: TestContext.Current.CancellationToken);
}
