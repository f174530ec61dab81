using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Godwit.Fixtures;

/// <summary>Waiting for what another process or server does.</summary>
public static class Wait
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(20);

    // No test waits for so long; one that does would hold up the whole run and never say for what.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}}, CancellationToken, string?)"/>
    public static Task UntilAsync(Func<bool> isSo, CancellationToken ct, [CallerArgumentExpression(nameof(isSo))] string? what = null) =>
        UntilAsync(() => Task.FromResult(isSo()), ct, what);

    /// <summary>Asks again and again, until it is so or the test is cancelled.</summary>
    /// <exception cref="TimeoutException">It never came to be so.</exception>
    public static async Task UntilAsync(Func<Task<bool>> isSo, CancellationToken ct, [CallerArgumentExpression(nameof(isSo))] string? what = null)
    {
        var waited = Stopwatch.StartNew();
        while (!await isSo())
        {
            if (waited.Elapsed > Longest)
            {
                throw new TimeoutException($"Waited in vain for: {what}");
            }

            await Task.Delay(Period, ct);
        }
    }
}
