using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>Where partitions are copied whole, the server must be able to hash each column: what was copied is compared by that.</summary>
internal sealed class RowHashCheck : IRebuildCheck
{
    public string Name => "row-hash";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if (!draft.IsWhole)
        {
            return null;
        }

        var fingerprint = new FingerprintSql(draft.Mapping, null) { HashesTexts = !draft.Capabilities.HasBlockLog };
        await draft.Gateway.QueryAsync(fingerprint.Select(fingerprint.Mapped(draft.Source.Name.ToSql(), "0")), ct: ct);
        return this.Ok("The server can hash every column.");
    }
}
