namespace Godwit.Server.Live;

/// <summary>What a page shows at a moment: the HTML of its regions by name, and what its script draws.</summary>
/// <param name="Regions">The regions.</param>
/// <param name="Data">What the script draws, by name.</param>
internal sealed record LiveFrame(IReadOnlyDictionary<string, string> Regions, IReadOnlyDictionary<string, string> Data)
{
    /// <summary>Only what is different in this one.</summary>
    public LiveFrame Since(LiveFrame? before) => before is null ? this : new(Changed(before.Regions, Regions), Changed(before.Data, Data));

    /// <summary>Whether it says nothing.</summary>
    public bool IsEmpty => Regions.Count == 0 && Data.Count == 0;

    private static Dictionary<string, string> Changed(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now) =>
        now.Where(r => before.GetValueOrDefault(r.Key) != r.Value).ToDictionary(r => r.Key, r => r.Value, StringComparer.Ordinal);
}
