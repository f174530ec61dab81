using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Godwit.Plans;

/// <summary>How plans and journals are written as JSON, and how a stored plan is known to be the one that was stored.</summary>
public static class PlanFormat
{
    /// <summary>The options of every JSON text that Godwit stores: camelCase, enums by name, nulls left out.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The plan as the text that is stored.</summary>
    public static string Serialize(Plan plan) => JsonSerializer.Serialize(plan, Json);

    /// <summary>The SHA-256 of a stored plan's text, as lower-case hexadecimal.</summary>
    public static string Checksum(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>Reads a stored plan.</summary>
    /// <exception cref="StoredFormatException">The text is not the one that was stored, or is of another format version.</exception>
    public static Plan Deserialize(string text, string checksum)
    {
        if (!string.Equals(Checksum(text), checksum, StringComparison.Ordinal))
        {
            throw new StoredFormatException("The stored plan does not match its checksum: the state file was changed or damaged. Restore the state file from a copy.");
        }

        Plan plan;
        try
        {
            plan = JsonSerializer.Deserialize<Plan>(text, Json) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new StoredFormatException("The stored plan cannot be read: it was written by another version of Godwit. Use the version that started this run.", e);
        }

        return plan.FormatVersion == Plan.CurrentFormatVersion
            ? plan
            : throw new StoredFormatException(
                $"The stored plan has format version {plan.FormatVersion}, this Godwit reads version {Plan.CurrentFormatVersion}. Use the version that started this run.");
    }

    /// <summary>Any value as a JSON element, for <see cref="PlannedStep.Arguments"/> and <see cref="PlannedOperation.Shared"/>.</summary>
    public static JsonElement ToElement<T>(T value) => JsonSerializer.SerializeToElement(value, Json);
}

/// <summary>Something stored is of another format version, damaged, or not a state file of Godwit at all.</summary>
public sealed class StoredFormatException(string message, Exception? inner = null) : Exception(message, inner);
