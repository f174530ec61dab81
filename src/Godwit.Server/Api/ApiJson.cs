using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Xml;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Server.Api;

/// <summary>How the API writes and reads JSON: as the documents of the command line, and with no leniency.</summary>
internal static class ApiJson
{
    /// <summary>What the library's records hold that is not for here: it has an address of its own, or is the store's business.</summary>
    private static readonly Dictionary<Type, string[]> LeftOut = new()
    {
        [typeof(RunStatus)] = ["steps", "errors"],
        [typeof(RunRecord)] = ["options", "progress", "hasBegun"],
        [typeof(RebuildRequest)] = ["isEmpty", "hasChanges"],
    };

    /// <summary>All that is said here.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    /// <summary>The same for what is read: what is not known is refused. What is written may have more to it one day.</summary>
    public static JsonSerializerOptions Strict { get; } = new(Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false };

    /// <summary>Sets it.</summary>
    public static void Configure(JsonSerializerOptions json)
    {
        json.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        json.PropertyNameCaseInsensitive = false;
        json.NumberHandling = JsonNumberHandling.Strict;
        json.RespectNullableAnnotations = true;
        json.RespectRequiredConstructorParameters = true;

        // Nobody takes it for anything but JSON (nosniff), and the sentences are full of backticks.
        json.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        json.Converters.Add(new JsonStringEnumConverter(allowIntegerValues: false));
        json.Converters.Add(new TableNameConverter());
        json.Converters.Add(new DurationConverter());
        json.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { Trim } };
    }

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions();
        Configure(options);
        options.MakeReadOnly();
        return options;
    }

    private static void Trim(JsonTypeInfo type)
    {
        foreach (var name in LeftOut.GetValueOrDefault(type.Type, []))
        {
            type.Properties.Remove(type.Properties.Single(p => p.Name == name));
        }

        // Steps without arguments hold an undefined element, which JSON cannot say.
        foreach (var property in type.Properties.Where(p => p.PropertyType == typeof(JsonElement)))
        {
            property.ShouldSerialize = (_, value) => value is JsonElement { ValueKind: not JsonValueKind.Undefined };
        }
    }

    /// <summary>A table as people write it: <c>db.table</c>.</summary>
    private sealed class TableNameConverter : JsonConverter<QualifiedName>
    {
        public override QualifiedName Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? QualifiedName.Parse(reader.GetString()!) : throw new FormatException("Write the table as a text, such as \"analytics.events\".");

        public override void Write(Utf8JsonWriter writer, QualifiedName value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }

    /// <summary>A time as ISO 8601 says it: <c>PT24H</c>.</summary>
    private sealed class DurationConverter : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
            try
            {
                return XmlConvert.ToTimeSpan(text);
            }
            catch (Exception e) when (e is FormatException or OverflowException)
            {
                throw new FormatException($"'{text}' is not a length of time: write it like \"PT24H\", \"PT30M\" or \"P7D\".");
            }
        }

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(XmlConvert.ToString(value));
    }
}
