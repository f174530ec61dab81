using Godwit.Metadata;

namespace Godwit.Server.Access;

/// <summary>Looks from time to time whether whoever is given a long answer may still have it: a session or a token may end in its midst.</summary>
internal sealed class StayWatch(Func<Task<bool>> look, TimeProvider clock)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private DateTimeOffset _looked = clock.GetUtcNow();

    /// <summary>Whether he might when it was last looked at. To be asked before each thing that he is told.</summary>
    public async Task<bool> MayStayAsync()
    {
        var now = clock.GetUtcNow();
        if (now - _looked < Period)
        {
            return true;
        }

        _looked = now;
        try
        {
            return await look();
        }
        catch (StoreException)
        {
            // Nothing can be told while the store is away, but that it is.
            return true;
        }
    }
}
