use super::proto::{AttributeProto, GraphProto, ModelProto, NodeProto};
use super::*;
use crate::Error;
use prost::Message;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{name}/model.onnx", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn what_is_written_reads_as_what_it_was_written_from() {
    let samples = 31;
    for name in ["before-1d", "dilated-2d", "residual-2d", "dense-1d", "classes-1d"] {
        let network = read(&file(name), name).unwrap();
        for form in [Form::OneDimensional, Form::TwoDimensional] {
            let again = read(&write(&network, form, samples), name).unwrap();
            assert_eq!((again.form, again.gives_classes), (form, false), "{name}");
            assert_eq!(again.steps.len(), network.steps.len(), "{name}");
            for (again, step) in again.steps.iter().zip(&network.steps) {
                assert_eq!((again.relu, again.inputs.len()), (step.relu, step.inputs.len()), "{name}");
                assert_eq!(again.operation, step.operation, "{name}");
            }
        }
    }
}

type Change<'a> = &'a dyn Fn(&mut GraphProto);

/// A network that ends in ArgMax, changed.
fn changed(change: Change) -> crate::Result<Network> {
    let mut model = ModelProto::decode(file("classes-1d").as_slice()).unwrap();
    change(model.graph.as_mut().unwrap());
    read(&model.encode_to_vec(), "changed")
}

#[test]
fn classes_are_for_the_end_of_a_network() {
    assert!(changed(&|_| {}).unwrap().gives_classes);
    let last = |graph: &GraphProto| graph.node.last().unwrap().output[0].clone();
    let integer = |name: &str, i| AttributeProto { name: name.into(), i, ..AttributeProto::default() };
    let refused: [(Change, &str); 3] = [
        (
            &|graph| {
                let last_of_equals = vec![integer("axis", 1), integer("select_last_index", 1)];
                graph.node.last_mut().unwrap().attribute = last_of_equals;
            },
            "last of equals",
        ),
        (&|graph| graph.node.last_mut().unwrap().attribute = vec![integer("axis", 2)], "axis 1"),
        (
            &|graph| {
                let relu = NodeProto { op_type: "Relu".into(), input: vec![last(graph)], ..NodeProto::default() };
                graph.node.push(NodeProto { output: vec!["after".into()], ..relu });
                graph.output[0].name = "after".into();
            },
            "not the result",
        ),
    ];
    for (change, word) in refused {
        let error = changed(change).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }) && error.to_string().contains(word), "{error}");
    }
}
