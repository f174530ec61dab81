using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>The server refuses to drop large tables, which would be found out only at the end.</summary>
internal sealed class DropLimitCheck : IRebuildCheck
{
    private const long Default = 50L << 30;

    public string Name => "drop-limit";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        if ((await Known.ColumnsAsync(draft.Gateway, ["server_settings"], null, ct)).Count == 0)
        {
            return draft.Way == RebuildWay.Alter || draft.Source.Bytes <= Default
                ? null
                : this.Warn($"{draft.Gateway.Name} does not tell its max_table_size_to_drop, and {draft.Source.Name} is larger than the usual {Default >> 30} GiB. Look into its configuration before `cleanup`.");
        }

        var limit = await draft.Gateway.ScalarAsync<long>(
            "SELECT toInt64OrZero(max(value)) FROM system.server_settings WHERE name = 'max_table_size_to_drop'", ct: ct);
        if (draft.Way == RebuildWay.Alter || limit == 0 || draft.Source.Bytes <= limit)
        {
            return null;
        }

        var message = $"{draft.Source.Name} is larger than max_table_size_to_drop ({limit >> 30} GiB), so the server will refuse to drop the old table. ";
        return draft.Options.DropRetired
            ? this.Refuse(message + "Raise the limit, or leave --drop-retired out and drop it by hand.")
            : this.Warn(message + "Raise the limit before `cleanup`.");
    }
}
