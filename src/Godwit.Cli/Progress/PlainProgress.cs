using System.Globalization;
using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Cli.Progress;

/// <summary>A line with the time when something changes, and one every ten seconds when only the figures do.</summary>
internal sealed class PlainProgress(TextWriter writer, TimeProvider clock) : IProgress<RunStatus>
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private (RunState, string?, string?, int) _last;
    private DateTimeOffset _next;

    /// <inheritdoc/>
    public void Report(RunStatus value)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            var current = (value.State, value.Activity, value.Brake, value.Steps.FirstOrDefault(s => s.State == StepState.Running)?.Index ?? -1);
            if (current == _last && now < _next)
            {
                return;
            }

            (_last, _next) = (current, now + Quiet);
            writer.WriteLine($"{now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)} {ProgressText.Line(value)}");
        }
    }
}
