using System.Globalization;
using System.Text.RegularExpressions;
using Godwit.Engine;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Engine;

public sealed partial class EngineCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-engine-").FullName;
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly StringWriter _stderr = new();

    public void Dispose()
    {
        _stop.Dispose();
        _stderr.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_says_when_it_is_ready_and_stops_when_told()
    {
        using var stdout = new Announced();
        var run = EngineCommand.RunAsync(new EngineOptions { Path = _folder }, stdout, _stderr, _stop.Token);
        Ready().Match(await stdout.Line).Groups["path"].Value.ShouldBe(_folder);
        await _stop.CancelAsync();
        (await run).ShouldBe(0);
        _stderr.ToString().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_crash_of_the_engine_is_an_error()
    {
        using var stdout = new Announced();
        var run = EngineCommand.RunAsync(new EngineOptions { Path = _folder }, stdout, _stderr, _stop.Token);
        var pid = int.Parse(Ready().Match(await stdout.Line).Groups["pid"].ValueSpan, CultureInfo.InvariantCulture);
        using var engine = System.Diagnostics.Process.GetProcessById(pid);
        engine.Kill();
        (await run).ShouldBe(1);
        _stderr.ToString().ShouldStartWith($"ClickHouse ended by itself with exit code 137; the data in {_folder} is kept.");
    }

    [Fact]
    public async Task Options_that_cannot_be_used_are_all_named()
    {
        using var stdout = new Announced();
        var options = new EngineOptions { Path = " ", HttpPort = 70_000 };
        (await EngineCommand.RunAsync(options, stdout, _stderr, _stop.Token)).ShouldBe(2);
        _stderr.ToString().ShouldContain("--path is missing");
        _stderr.ToString().ShouldContain("--http-port 70000 is not a port");
    }

    [Fact]
    public async Task What_keeps_it_from_starting_is_said_in_a_sentence()
    {
        using var stdout = new Announced();
        var options = new EngineOptions { Path = _folder, LibraryPath = "/nowhere/libchdb.so" };
        (await EngineCommand.RunAsync(options, stdout, _stderr, _stop.Token)).ShouldBe(1);
        _stderr.ToString().Trim().ShouldBe("There is no ClickHouse library at /nowhere/libchdb.so.");
    }

    [GeneratedRegex(@"^ClickHouse 26\.7\.2\.1 is ready at http://127\.0\.0\.1:\d+ \(data in (?<path>.+), pid (?<pid>\d+)\)$")]
    private static partial Regex Ready();

    private sealed class Announced : StringWriter
    {
        private readonly TaskCompletionSource<string> _line = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Line => _line.Task;

        public override Task WriteLineAsync(string? value)
        {
            _line.TrySetResult(value!);
            return Task.CompletedTask;
        }
    }
}
