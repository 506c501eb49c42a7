"""Writes a GGUF model again with its weights in another quantisation.

Usage: requantise.py SOURCE.gguf TARGET.gguf [q8_0|q4_0|q5_0|...]

Every matrix is brought back to floats and quantised anew; the vectors (norms) and everything that describes the model,
its tokenizer and chat template included, stay as they are. That is what a release of "the same model, requantised" is.
The target appears only when it is complete. The result depends on nothing but the source, so that it has one digest.
"""

import os
import sys

from gguf import GGUFReader, GGUFValueType, GGUFWriter, GGMLQuantizationType, LlamaFileType, quants

# The writer fills these in by itself.
WRITTEN_BY_THE_WRITER = ("GGUF.", "general.architecture")


def requantise(source: str, target: str, name: str) -> None:
    quantisation = GGMLQuantizationType[name.upper()]
    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        if key.startswith(WRITTEN_BY_THE_WRITER):
            continue
        kind = field.types[0]
        value = field.contents()
        if key == "general.file_type":
            value = int(LlamaFileType[f"MOSTLY_{name.upper()}"])
        writer.add_key_value(key, value, kind, field.types[-1] if kind == GGUFValueType.ARRAY else None)

    matrices = sum(len(tensor.shape) >= 2 for tensor in reader.tensors)
    done = 0
    for tensor in reader.tensors:
        if len(tensor.shape) < 2 or tensor.tensor_type == quantisation:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        else:
            floats = quants.dequantize(tensor.data, tensor.tensor_type)
            writer.add_tensor(tensor.name, quants.quantize(floats, quantisation), raw_dtype=quantisation)
        if len(tensor.shape) >= 2:
            done += 1
            if done % 50 == 0 or done == matrices:
                print(f"{done} of {matrices} matrices", flush=True)

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    source, target = sys.argv[1], sys.argv[2]
    name = sys.argv[3] if len(sys.argv) == 4 else "q8_0"
    draft = f"{target}.{os.getpid()}"
    try:
        requantise(source, draft, name)
        os.replace(draft, target)
    finally:
        if os.path.exists(draft):
            os.remove(draft)


if __name__ == "__main__":
    main()
