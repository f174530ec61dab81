using System.Collections.Concurrent;
using System.Reflection;
using Xunit;
using Xunit.v3;

namespace Godwit.Fixtures;

/// <summary>Cancels a test that takes longer than any does, so that it fails by its name and the others go on. A whole crash walk and a long stress run have no limit.</summary>
/// <param name="minutes">How long a test may take.</param>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TestLimitAttribute(int minutes) : BeforeAfterTestAttribute
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("GODWIT_CRASH_ALL") == "1" || Environment.GetEnvironmentVariable("GODWIT_STRESS_RUNS") is not null;
    private readonly ConcurrentDictionary<string, Timer> _running = new(StringComparer.Ordinal);

    /// <summary>How long a test may take, in minutes.</summary>
    public int Minutes => minutes;

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (!IsLong)
        {
            var context = TestContext.Current;
            _running[test.UniqueID] = new Timer(_ => context.CancelCurrentTest(), null, TimeSpan.FromMinutes(minutes), Timeout.InfiniteTimeSpan);
        }
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (_running.TryRemove(test.UniqueID, out var timer))
        {
            timer.Dispose();
        }
    }
}
