using Godwit.Runs;
using Spectre.Console;

namespace Godwit.Cli.Progress;

/// <summary>A display that redraws itself in place, and goes when the work is done.</summary>
internal sealed class LiveProgress : IProgress<RunStatus>
{
    private readonly LiveDisplayContext _display;
    private readonly IAnsiConsole _console;
    private readonly string? _onStop;
    private readonly CancellationToken _ct;
    private readonly Lock _lock = new();

    private LiveProgress(LiveDisplayContext display, IAnsiConsole console, string? onStop, CancellationToken ct) =>
        (_display, _console, _onStop, _ct) = (display, console, onStop, ct);

    /// <summary>Does the work and shows it.</summary>
    public static Task<RunStatus> RunAsync(
        IAnsiConsole console, Func<IProgress<RunStatus>, Task<RunStatus>> work, string? onStop, CancellationToken ct) =>
        console.Live(new Text("Starting …"))
            .AutoClear(true)
            .Overflow(VerticalOverflow.Crop)
            .StartAsync(display => work(new LiveProgress(display, console, onStop, ct)));

    /// <inheritdoc/>
    public void Report(RunStatus value)
    {
        lock (_lock)
        {
            var note = _ct.IsCancellationRequested ? _onStop : null;
            _display.UpdateTarget(ProgressView.Of(value, _console.Profile.Width, _console.Profile.Height, note));
        }
    }
}
