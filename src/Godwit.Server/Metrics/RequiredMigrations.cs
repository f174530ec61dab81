using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Metrics;

/// <summary>How many required migrations are not done. Definitions ask ClickHouse for that, so it is looked at beside the scrapes, and seldom.</summary>
internal sealed partial class RequiredMigrations(Migrator migrator, TimeProvider clock, ILogger<RequiredMigrations> log)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromMinutes(1);
    private const int Unknown = -1;
    private readonly Lock _gate = new();
    private Task _look = Task.CompletedTask;
    private DateTimeOffset? _lookedAt;
    private volatile int _count = Unknown;

    /// <summary>What was seen last; null when that is not known. Begins another look when the last one is old, and does not wait for it.</summary>
    public int? Read()
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            if (_look.IsCompleted && (_lookedAt is not { } at || now - at >= Freshness))
            {
                _lookedAt = now;
                _look = Task.Run(LookAsync);
            }
        }

        return _count is var count && count == Unknown ? null : count;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Nobody waits for this task. Definitions are code of others, and what they throw is logged.")]
    private async Task LookAsync()
    {
        try
        {
            _count = (await migrator.MigrationsAsync()).Count(m => m is { IsRequired: true, IsDone: false, IsOrphaned: false });
        }
        catch (Exception e)
        {
            _count = Unknown;
            NotKnown(log, e.Message);
        }
    }

    [LoggerMessage(2201, LogLevel.Warning, "It is not known which migrations are required: {Reason}")]
    private static partial void NotKnown(ILogger logger, string reason);
}
